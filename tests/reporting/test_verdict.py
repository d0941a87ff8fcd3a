from dataclasses import replace

from capacity.domain.estimates import Estimate
from capacity.domain.observation import CutOffKind
from capacity.domain.plan import MetLimit
from capacity.domain.resources import Resource
from capacity.planning.caveats.generator import generator_verdict
from capacity.reporting.document import Standing
from capacity.reporting.verdict import clients_in_words, verdict


def facts(plan):
    return {fact.label: (fact.text, fact.note) for fact in verdict(plan).facts}


def test_the_headline_is_the_answer(plan):
    headline = verdict(plan).headline

    assert headline == ("Capacity: ≈ 19,948 connections per instance. Bottleneck: file descriptors")


def test_the_interval_and_the_load_stand_below_it(plan):
    [paragraph] = verdict(plan).paragraphs

    assert paragraph == (
        "Interval: 19,310 to 19,948 (90 %). Workload: 2 deliveries/s (420 bytes/s) and"
        " one REST request every 1 min 40 s per connection."
    )


def test_the_load_says_how_many_read_slowly(plan):
    slow = replace(plan, mix=replace(plan.mix, slow_readers_ratio=0.2))
    [paragraph] = verdict(slow).paragraphs

    assert paragraph.endswith("per connection; 20 % of the connections are slow readers.")


def test_a_counted_capacity_is_not_about(plan):
    exact = replace(plan, capacity=Estimate.exactly(972))

    assert verdict(exact).headline.startswith("Capacity: 972 connections per instance.")


def test_the_first_screen_names_what_to_size_by_and_every_next_wall(plan):
    shown = facts(plan)

    assert shown["Safe capacity"][0] == "19,208 connections"
    assert shown["Bottleneck"][0] == "file descriptors"
    assert "97 %" in shown["Bottleneck"][1]
    assert shown["Raise this limit"] == (
        "+8,550 connections of headroom until the next bottleneck",
        "raise descriptors on the target (LimitNOFILE=)",
    )
    assert shown["Next bottlenecks"][0] == (
        "memory of the target at 32,300; event loop (hottest thread) at 35,000;"
        " system file table at 8,998,600"
    )
    assert shown["Tested up to"] == (
        "4,987 connections",
        "the capacity is 4 times that, extrapolated",
    )


def test_a_plan_with_one_wall_says_that_no_other_is_known(plan):
    shown = facts(replace(plan, ladder=(replace(plan.ladder[0], gain=None),)))

    assert shown["Raise this limit"][0] == "unknown headroom: no other bottleneck is known"
    assert shown["Next bottlenecks"][0] == "none known"


def test_a_capacity_within_the_test_is_no_extrapolation(plan):
    shown = facts(replace(plan, extrapolation_ratio=0.98))

    assert shown["Tested up to"][1] == "the capacity lies within the tested range"


def test_a_limit_that_the_run_met_is_not_extrapolated(plan):
    met = MetLimit(
        kind=CutOffKind.REFUSED, resource=plan.binding, held=9, failed=9, statement="as planted"
    )

    assert facts(replace(plan, met=met))["Tested up to"][1].endswith("where this run hit the limit")
    elsewhere = replace(met, resource=Resource.CONNTRACK)
    assert "extrapolated" in facts(replace(plan, met=elsewhere))["Tested up to"][1]


def test_a_plan_without_doubts_is_sound(plan):
    sound = replace(plan, doubts=())

    assert verdict(sound).standing is Standing.SOUND
    assert facts(sound)["Confidence"] == ("good", "no caveats")


def test_a_plan_with_doubts_is_to_be_taken_with_care(plan):
    assert verdict(plan).standing is Standing.DOUBTFUL
    assert facts(plan)["Confidence"] == ("reduced: 1 caveat", "unknown limit")


def test_doubts_of_one_kind_are_counted_each_and_named_once(plan):
    shown = facts(replace(plan, doubts=plan.doubts * 2))

    assert shown["Confidence"] == ("reduced: 2 caveats", "unknown limit")


def test_a_spoiled_measurement_is_not_to_be_believed(plan, excuse):
    spoiled = replace(plan, generator=excuse.generator)

    assert verdict(spoiled).standing is Standing.REFUTED
    assert facts(spoiled)["Confidence"][0].startswith("invalid")
    assert facts(spoiled)["Load generator"] == (
        "may have been the bottleneck",
        "The worst timer lag was 80 ms.",
    )


def test_of_a_generator_that_no_step_tells_of_nothing_is_claimed(excuse):
    unwatched = replace(excuse, generator=generator_verdict(()))

    assert facts(unwatched)["Load generator"] == ("not known", "No step was recorded.")


def test_an_excuse_says_why_and_what_to_do(excuse):
    shown = facts(excuse)

    assert verdict(excuse).standing is Standing.NONE
    assert shown["Why"][0] == excuse.reason
    assert shown["What to do"][0] == excuse.remedy


def test_an_excuse_without_a_generator_does_not_invent_one(excuse):
    assert "Load generator" not in facts(replace(excuse, generator=None))


def test_a_plan_without_a_ladder_still_names_what_binds(plan):
    assert facts(replace(plan, ladder=()))["Bottleneck"][0] == "file descriptors"


def test_a_capacity_is_told_in_clients_where_a_client_holds_several_connections(plan):
    several = replace(plan, connections_per_client=2)
    words = clients_in_words(several)

    assert "A client holds 2 connections, one of them private: the capacity is" in words
    assert words.endswith(f"the safe capacity {plan.safe_capacity // 2:,}.")
    assert (int(plan.capacity.mid) // 2, 9604) == (several.clients, several.safe_clients)
    assert words == verdict(several).paragraphs[-1]
    assert "" == clients_in_words(plan)


def test_no_safe_number_of_clients_is_told_where_there_is_none_of_connections(plan):
    far = replace(plan, connections_per_client=2, binding=Resource.CPU, extrapolation_ratio=1e3)

    assert "safe" not in clients_in_words(far)


def test_a_number_that_the_run_does_not_support_is_no_headline(plan):
    beyond = replace(
        plan, binding=Resource.MEMORY, highest_connections=20, extrapolation_ratio=997.0
    )
    told = verdict(beyond)

    assert beyond.is_beyond_reach
    assert told.headline == (
        "No capacity yet: this run supports no number beyond 200 connections. Nearest limit: memory of the target"
    )
    assert told.paragraphs[0].startswith("Extrapolated, not to plan with: ≈ 19,948 (19,310 to")
