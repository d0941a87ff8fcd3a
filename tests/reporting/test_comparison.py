import json
from dataclasses import replace

import pytest

from capacity.domain.answers.comparison import Change, Comparison, LimitChange, Outcome
from capacity.domain.estimates import Estimate
from capacity.domain.resource_facts import UNITS
from capacity.domain.resources import Limit, LimitState, Resource
from capacity.reporting.comparison import (
    headline,
    markdown,
    render_json,
    sections,
    subtitle,
)


def cost(resource, ratio, outcome=Outcome.NO_CHANGE, **more):
    return Change(
        figure=f"cost.{resource}_per_connection",
        unit=UNITS[resource],
        baseline=2000.0,
        current=2000.0 * ratio,
        ratio=Estimate(low=ratio - 0.01, mid=ratio, high=ratio + 0.01, confidence=0.9),
        chance=0.9999,
        seen_from_ratio=0.02,
        outcome=outcome,
        **more,
    )


def limit(value):
    return Limit(
        resource=Resource.DESCRIPTORS,
        state=LimitState.KNOWN,
        value=value,
        scope="process",
        source="/proc/1/limits",
    )


LOWER = LimitChange(
    resource=Resource.DESCRIPTORS,
    baseline=limit(1024.0),
    current=limit(700.0),
    outcome=Outcome.REGRESSION,
)
DEARER = cost(Resource.MEMORY, 1.03, Outcome.REGRESSION)


def comparison(*costs, limits=(), outcome=Outcome.NO_CHANGE, **more):
    made = Comparison(
        runs=("new",),
        baselines=("old",),
        outcome=outcome,
        bottleneck=(Resource.DESCRIPTORS, Resource.DESCRIPTORS),
        capacity=(),
        costs=costs,
        limits=limits,
        delays=(),
        chance_needed=0.998,
        least_effect_ratio=0.01,
        caveats=(),
    )
    return replace(made, **more)


def test_the_headline_names_what_got_worse():
    found = comparison(DEARER, limits=(LOWER,), outcome=Outcome.REGRESSION)

    assert headline(found) == (
        "Regression: memory of the target per connection +3.0 % and limit of file descriptors"
        " 1,024 descriptors → 700 descriptors"
    )


def test_the_headline_names_what_got_better_where_nothing_got_worse():
    better = cost(Resource.CPU, 0.9, Outcome.IMPROVEMENT)

    assert headline(comparison(better)) == "Improvement: CPU of the target per connection -10.0 %"
    assert headline(comparison()) == "No regression was found"
    assert "Limits changed" in headline(comparison(outcome=Outcome.CHANGED))


def test_a_bottleneck_that_moved_is_said():
    moved = comparison(bottleneck=(Resource.DESCRIPTORS, Resource.MEMORY))

    assert "the bottleneck was file descriptors and is memory of the target" in subtitle(moved)
    assert "still file descriptors" in subtitle(comparison())


def test_each_figure_has_its_values_interval_chance_and_verdict():
    (section,) = sections(comparison(DEARER))
    (row,) = section.table.rows

    assert [cell.text for cell in row] == [
        "memory of the target per connection",
        "1.95 KiB",
        "2.01 KiB",
        "+3.0 % (+2.0 to +4.0 %)",
        "> 99.9 %",
        "2.0 %",
        "regression",
    ]


def test_what_is_not_judged_is_named_and_not_listed():
    (section,) = sections(comparison(cost(Resource.HOST_MEMORY, 2.0, is_judged=False)))

    assert section.table.rows == ()
    assert "memory of the host" in section.paragraphs[0]


def test_a_figure_that_was_not_measured_says_so():
    gone = replace(DEARER, current=None, ratio=None, chance=None, seen_from_ratio=None)
    (section,) = sections(comparison(gone))

    assert section.table.rows[0][2].text == "not measured"


def test_a_comment_has_at_most_60_lines_whatever_changed():
    every = [cost(resource, 1.1, Outcome.REGRESSION) for resource in Resource]
    found = comparison(
        *every,
        limits=(LOWER,) * 22,
        caveats=("a caveat",) * 30,
        outcome=Outcome.REGRESSION,
    )
    text = markdown(found)

    assert len(text.splitlines()) <= 60
    assert "2 further figures" in text


def test_a_comment_shows_no_markup_of_a_stranger():
    text = markdown(comparison(runs=("<b>@team</b>",)))

    assert "<b>" not in text.replace("\\<b", "")
    assert "@team" not in text


def test_json_has_every_number_and_no_infinity():
    endless = replace(DEARER, ratio=Estimate(low=0.9, mid=1.0, high=float("inf"), confidence=0.9))
    document = json.loads(render_json(comparison(endless, outcome=Outcome.REGRESSION)))

    assert document["kind"] == "comparison"
    assert document["regressions"] == ["cost.memory_per_connection"]
    assert document["comparison"]["costs"][0]["ratio"]["high"] == "Infinity"
    assert document["comparison"]["costs"][0]["baseline"] == 2000.0


@pytest.mark.parametrize(("seen_from", "is_known"), [(0.5, True), (0.51, False), (1.0, False)])
def test_no_change_is_not_said_of_what_may_have_halved_unseen(seen_from, is_known):
    capacity = replace(
        cost(Resource.CPU, 0.25),
        figure="capacity.mid",
        unit="connections",
        seen_from_ratio=seen_from,
    )
    found = comparison(capacity=(capacity,))
    verdict = sections(found)[0].table.rows[0][-1].text

    assert (verdict == "no change") == is_known
    assert verdict == "no change" or verdict.startswith("not known: ")
    assert headline(found).endswith("what became of capacity is not known") != is_known
    assert json.loads(render_json(found))["comparison"]["capacity"][0]["outcome"] == "no_change"


def test_what_is_not_judged_did_not_stay_the_same():
    safe = replace(
        cost(Resource.CPU, 0.25), figure="capacity.safe", unit="connections", is_judged=False
    )

    assert sections(comparison(capacity=(safe,)))[0].table.rows[0][-1].text == "not judged"
