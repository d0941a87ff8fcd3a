import runpy
from dataclasses import replace
from pathlib import Path

from capacity.domain.answers.sizing import Unanswered
from capacity.domain.resources import Resource
from capacity.planning.advice.push_or_poll import DELIVERIES_PER_S, FRESHNESS_S, break_even
from capacity.reporting.advice.break_even import break_even_section

EXAMPLE = runpy.run_path(
    str(Path(__file__).parents[2] / "planning" / "advice" / "example_demand.py")
)
PLAN, HOST = EXAMPLE["make_plan"](), EXAMPLE["make_host"]()
STEPS = EXAMPLE["EXAMPLE"]["make_record"]().steps
NO_ARRIVALS = Unanswered(reason="Why not.", remedy="What helps.")


def told(plan=PLAN, host=None):
    return break_even_section(break_even(plan, STEPS, NO_ARRIVALS, host))


def test_the_premise_names_both_bottlenecks():
    premise = told().paragraphs[0]

    assert premise.startswith("WebSocket only at 2 updates/s: 19,900 clients per instance")
    assert "bottleneck file descriptors" in premise
    assert premise.endswith("2,450 clients per instance, bottleneck event loop (hottest thread).")


def test_the_same_bottleneck_is_called_the_same():
    premise = told(EXAMPLE["make_plan"](descriptors=1e6, memory=1e12)).paragraphs[0]

    assert premise.count("bottleneck event loop (hottest thread)") == 2


def test_every_rate_is_a_row_and_every_freshness_a_column():
    table = told().table

    assert len(table.rows) == len(DELIVERIES_PER_S)
    assert len(table.columns) == 1 + len(FRESHNESS_S)
    assert table.columns[1] == "Fresh within 500 ms"


def test_a_cell_says_which_is_cheaper_and_how_much():
    rows = {row[0].text: row for row in told().table.rows}

    # 19,948 by descriptors against 0.98 / 2e-4 · (0.5 − 0.0042) / 0.95 pollers.
    assert rows["1"][1].text == "push 7.8 ×"
    assert rows["1"][1].note == "push 19,900, poll 2,560"
    # One loop holds 0.98 / 1.202e-3 = 815 pushed ones.
    assert rows["100"][4].text == "poll 24 ×"
    assert rows["1"][4].text == "either"


def test_money_stands_where_the_host_has_a_price():
    rows = {row[0].text: row for row in told(host=HOST).table.rows}

    assert rows["1"][1].note == "push 5.01 EUR, poll 39.1 EUR"


def test_a_reply_slower_than_the_freshness_leaves_only_push():
    slow = tuple(
        replace(step, request_latency=replace(step.request_latency, p50_s=0.7))
        if step.request_latency
        else step
        for step in STEPS
    )
    section = break_even_section(break_even(PLAN, slow, NO_ARRIVALS, None))

    assert section.table.rows[0][1].text == "push"


def test_free_pushes_and_left_out_walls_are_said():
    ladder = tuple(
        replace(wall, cost=replace(wall.cost, separated=("connections",)))
        if wall.resource is Resource.MEMORY
        else wall
        for wall in PLAN.ladder
    )
    idle = replace(PLAN, ladder=ladder, mix=replace(PLAN.mix, deliveries_per_s=0.0))
    text = " ".join(told(idle).paragraphs)

    assert "nothing to poll." in text
    assert (
        "Not included, because their cost components are not separable: memory of the target."
        in text
    )


def test_no_answer_says_why():
    assert break_even_section(NO_ARRIVALS).paragraphs == ("Why not.", "What helps.")
