from dataclasses import replace

from capacity.domain.caveats import Doubt, DoubtKind
from capacity.domain.estimates import Estimate
from capacity.domain.observation import CutOff, CutOffKind
from capacity.domain.plan import MetLimit
from capacity.reporting.document import Standing
from capacity.reporting.first_screen.first_screen import first_screen


def lines(panel):
    return {line.label: line.text for line in panel.lines}


def test_the_capacity_stands_with_its_safe_number_interval_and_workload(record, plan):
    answer = first_screen(record, plan).answer

    assert answer.big == "19,948"
    assert answer.beside == "connections · safe to plan with: 19,208 (95 %)"
    assert lines(answer)["Interval"] == "90 %: 19,310 to 19,948"
    assert lines(answer)["Workload"].startswith("2 deliveries/s (420 bytes/s)")


def test_the_fan_is_said_in_words(record, plan):
    fan = [Estimate(low=20.0 - k, mid=20.0, high=20.0 + k, confidence=k / 10) for k in (5, 8, 9)]
    answer = first_screen(record, replace(plan, fan=tuple(fan))).answer

    assert lines(answer)["Interval"] == "50 %: 15 to 25 · 80 %: 12 to 28 · 90 %: 11 to 29"


def test_a_counted_capacity_is_exact(record, plan):
    exact = replace(plan, capacity=Estimate.exactly(972), fan=(Estimate.exactly(972),) * 3)

    assert lines(first_screen(record, exact).answer)["Interval"] == "exact"


def test_the_bottleneck_shows_why_what_to_do_and_what_is_next(record, plan):
    panel = first_screen(record, plan).bottleneck

    assert panel.big == "File descriptors"
    assert lines(panel) == {
        "Limit": "20,000 descriptors (/proc/4242/descriptors)",
        "Use": "1 descriptor per connection; 52 descriptors idle",
        "Why": "(20,000 descriptors − 52 descriptors) / 1 descriptor = 19,948 connections",
    }
    assert panel.do == "raise descriptors on the target (LimitNOFILE=)."
    assert panel.after.startswith(
        "That adds 8,550 connections. Next bottlenecks: memory of the target at"
    )


def test_an_invalid_number_promises_nothing_of_a_raised_limit(record, plan):
    far = replace(plan, binding=plan.ladder[1].resource, extrapolation_ratio=40.0)

    assert first_screen(record, far).bottleneck.after.startswith("Next bottlenecks: ")


def test_a_run_that_hit_its_limit_says_where_and_claims_no_fits(record, plan):
    cut_off = CutOff(kind=CutOffKind.REFUSED, statement="as planted", connections=300)
    met = MetLimit(
        kind=CutOffKind.REFUSED, resource=plan.binding, held=300, failed=304, statement="as planted"
    )
    ended = replace(record, steps=(*record.steps[:-1], replace(record.steps[-1], cut_off=cut_off)))
    screen = first_screen(ended, replace(plan, met=met))

    assert screen.bottleneck.beside == "met by this run"
    assert screen.about.endswith(f"ended by a limit in step {len(record.steps)}")
    assert "ended by" not in first_screen(record, plan).about
    assert first_screen(record, plan).bottleneck.beside.startswith("first to run out with ")


def test_a_limit_that_was_met_has_no_arithmetic(record, plan):
    first = plan.ladder[0]
    met = replace(first, limit=replace(first.limit, scope="met"))

    panel = first_screen(record, replace(plan, ladder=(met,))).bottleneck

    assert list(lines(panel)) == ["Limit"]
    assert panel.after.endswith("Next bottlenecks: none known.")


def test_a_plan_without_a_ladder_still_names_what_binds(record, plan):
    screen = first_screen(record, replace(plan, ladder=()))

    assert screen.bottleneck.big == "File descriptors"
    assert screen.chart == ""


def test_the_badge_says_how_far_to_believe_it(record, plan, excuse):
    spoiled = replace(plan, generator=excuse.generator)

    assert first_screen(record, plan).badge == "Confidence: reduced, 1 caveat"
    assert first_screen(record, replace(plan, doubts=())).badge == "Confidence: good, no caveats"
    assert first_screen(record, spoiled).badge == "Confidence: invalid"


def test_what_is_extrapolated_too_far_has_no_safe_number(record, plan):
    far = replace(plan, binding=plan.ladder[1].resource, extrapolation_ratio=40.0)

    assert first_screen(record, far).answer.beside.endswith(
        "no safe capacity yet: extrapolated too far"
    )


def test_of_an_invalid_number_it_says_how_to_get_a_valid_one(record, plan, excuse):
    spoiled = replace(plan, generator=excuse.generator)
    far = replace(plan, binding=plan.ladder[1].resource, extrapolation_ratio=40.0)
    further = Doubt(kind=DoubtKind.EXTRAPOLATION, statement="Far.", remedy="Test with more.")

    assert "more workers" in first_screen(record, spoiled).bottleneck.do
    told = first_screen(record, replace(far, doubts=(*far.doubts, further)))
    assert told.bottleneck.do == "Test with more."


def test_an_excuse_says_why_what_to_do_and_how_far_it_was_tested(record, excuse):
    screen = first_screen(record, excuse)

    assert screen.standing is Standing.NONE
    assert lines(screen.answer)["Why"] == excuse.reason
    assert lines(screen.answer)["Tested"] == "4,987 connections"
    assert screen.bottleneck.do == excuse.remedy


def test_every_partial_record_has_a_first_screen(partial_records, plan, excuse):
    for record in partial_records.values():
        for answer in (plan, excuse):
            assert first_screen(record, answer).about.startswith("run ")


def test_clients_are_counted_where_each_holds_several_connections(record, plan):
    several = first_screen(record, replace(plan, connections_per_client=2)).answer

    assert lines(several)["Clients"].startswith("A client holds 2 connections, one of them private")
    assert "Clients" not in lines(first_screen(record, plan).answer)
