import runpy
from dataclasses import replace
from pathlib import Path

from capacity.domain.answers.sizing import Advice, Unanswered
from capacity.domain.estimates import Estimate
from capacity.planning.advice.reconnect_storm import storm
from capacity.planning.advice.sizing import sized
from capacity.reporting.advice.storm import storm_section

EXAMPLE = runpy.run_path(
    str(Path(__file__).parents[2] / "planning" / "advice" / "example_demand.py")
)
NOTHING = Unanswered(reason="Why not.", remedy="What helps.")


def told(cost_s=0.001, *, cost=None, found=None, **changes):
    demand = EXAMPLE["make_demand"](**changes)
    cost = cost or EXAMPLE["make_arrival_cost"](cost_s)
    stormed = storm(sized(EXAMPLE["make_plan"](), demand, []), cost, demand)
    return storm_section(
        Advice(
            sizing=None,
            arrival_cost=cost,
            storm=stormed if found is None else found,
            break_even=NOTHING,
            exhaustion=None,
            sensitivities=(),
        )
    )


def test_both_events_have_their_window():
    section = told(reconnect_window_s=60.0)
    loss, restart = section.table.rows

    assert (loss[0].text, loss[1].text, restart[1].text) == (
        "planned-for loss of instances",
        "7",
        "8",
    )
    assert loss[3].text.endswith("connects/s")
    assert loss[6].text == "overflows if all connect at once"
    assert loss[7].text == "yes"
    text = " ".join(section.paragraphs)
    assert "event loop (hottest thread) 900 µs (800 µs to 1 ms)" in text
    assert "That needs 8 instances: the sized instances are enough." in text


def test_a_declared_rate_of_admission_is_named_as_what_arrivals_wait_for():
    cost = replace(EXAMPLE["make_arrival_cost"](0.001), admitted_per_s=3.0)
    section = told(cost=cost, reconnect_window_s=60.0)

    assert "arrival_limit in the target file" in section.table.rows[0][3].note
    assert section.table.rows[0][3].text == "3 connects/s"


def test_a_rate_of_admission_that_the_ramps_met_is_planned_with_at_its_lower_end():
    met = Estimate(low=2.0, mid=3.0, high=4.0, confidence=0.9)
    cost = replace(EXAMPLE["make_arrival_cost"](0.001), admission_per_s=met)
    section = told(cost=cost, reconnect_window_s=60.0)

    assert "rate limit seen in the ramps: 3 connects/s" in section.table.rows[0][3].note
    assert section.table.rows[0][3].text == "2 connects/s"


def test_memory_of_arrivals_is_told_with_how_many_fit_at_once():
    def estimate(mid):
        return Estimate(low=0.9 * mid, mid=mid, high=1.1 * mid, confidence=0.9)

    plain = EXAMPLE["make_arrival_cost"](0.001)
    held = replace(plain, memory_bytes=estimate(512 * 1024.0), memory_held_s=2.0)
    text = " ".join(told(cost=replace(held, at_once=estimate(1000.0))).paragraphs)

    assert "a client takes 512 KiB of memory beyond what its connection keeps, for 2 s" in text
    assert "room for 1,000 connects (900 to 1,100)" in text
    assert "room for" not in " ".join(told(cost=held).paragraphs)
    assert "beyond what its connection keeps" not in " ".join(told(cost=plain).paragraphs)


def test_a_storm_that_never_ends_is_warned_of():
    section = told(0.01, retry=EXAMPLE["AT_ONCE"], handshake_timeout_s=2.0)

    assert section.table.rows[-1][7].text == "no"
    assert any("does not recover unaided" in paragraph for paragraph in section.paragraphs)


def test_what_goes_beyond_the_test_is_said():
    assert any("extrapolated" in paragraph for paragraph in told(0.0001).paragraphs)
    assert not any("extrapolated" in paragraph for paragraph in told().paragraphs)


def test_a_window_too_narrow_names_the_instances_it_takes():
    more = " ".join(told(0.01, reconnect_window_s=20.0).paragraphs)
    none = " ".join(told(reconnect_window_s=1e-9).paragraphs)
    restart = " ".join(told(reconnect_window_s=20.0, lost_instances=0).paragraphs)

    assert "more than sized" in more
    assert "No number of instances absorbs the loss" in none
    assert "That needs" not in restart


def test_what_is_missing_is_told_instead():
    no_cost = told(cost=NOTHING)
    no_storm = told(found=NOTHING)

    assert (no_cost.paragraphs, no_cost.table) == (("Why not.", "What helps."), None)
    assert no_storm.paragraphs[1:] == ("Why not.", "What helps.")


def test_without_a_demand_the_cost_of_an_arrival_stands_alone():
    section = storm_section(
        Advice(
            sizing=None,
            arrival_cost=EXAMPLE["make_arrival_cost"](),
            storm=None,
            break_even=NOTHING,
            exhaustion=None,
            sensitivities=(),
        )
    )

    assert "4,000 connects in 4 ramps" in section.paragraphs[0]
    assert "--demand" in section.paragraphs[1]
