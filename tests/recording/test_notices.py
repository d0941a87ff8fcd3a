import runpy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from capacity.recording.history_row import Outcome
from capacity.recording.notices import NoticeKind, comparable, notices

row_of = runpy.run_path(str(Path(__file__).parents[1] / "history_row.py"))["row_of"]

DAY_S = 86_400.0
HISTORIES, NIGHTS = 20, 30
LOSS = 0.9


def night(index, capacity=1000.0, *, limit=1024.0, binding="descriptors", **changes):
    row = row_of(
        run=f"nightly-{index:03}",
        started_at=1e9 + index * DAY_S,
        finished_at=1e9 + index * DAY_S + 100.0,
        capacity_low_connections=capacity * 0.99,
        capacity_mid_connections=capacity,
        capacity_high_connections=capacity * 1.01,
        safe_capacity_connections=round(capacity * 0.99),
        binding=binding,
        fingerprint="00ff",
        unit_costs={"descriptors": {"limit": limit}, "memory": {"limit": 2**30}},
    )
    return replace(row, **changes)


def planted(seed, noise, loss_at=None):
    """Return nights whose capacity scatters by *noise*; from one night on a tenth is lost."""
    random = np.random.default_rng(seed)
    return [
        night(
            index,
            1000.0
            * (LOSS if loss_at is not None and index >= loss_at else 1.0)
            * (1.0 + noise * random.standard_normal()),
        )
        for index in range(NIGHTS)
    ]


def kinds(row, earlier):
    return [notice.kind for notice in notices(row, earlier)]


@pytest.mark.parametrize("noise", [0.002, 0.01])
def test_every_planted_loss_of_a_tenth_is_noticed_the_night_it_comes(noise):
    found = 0
    for seed in range(HISTORIES):
        nights = planted(seed, noise, loss_at=20)
        found += NoticeKind.CAPACITY_LOST in kinds(nights[20], nights[:20])

    assert found == HISTORIES


@pytest.mark.parametrize("noise", [0.002, 0.01])
def test_healthy_histories_are_quiet_every_night(noise):
    said = [
        notices(nights[index], nights[:index])
        for seed in range(HISTORIES)
        for nights in (planted(1000 + seed, noise),)
        for index in range(NIGHTS)
    ]

    assert [] == [each for each in said if each]


def test_a_third_that_is_lost_after_two_nights_is_noticed_and_weak():
    (lost,) = notices(night(2, 643.0), [night(0, 967.0), night(1, 967.0)])

    assert (lost.kind, lost.is_regression, lost.is_weak) == (NoticeKind.CAPACITY_LOST, True, True)
    assert lost.statement == (
        "capacity 643 connections, median of 2 earlier runs 967 (-33.5 %; weak, as five runs would"
        " say more)"
    )


def test_few_runs_whose_intervals_meet_say_nothing():
    wide = replace(night(2, 940.0), capacity_high_connections=1000.0)

    assert notices(wide, [night(0), night(1)]) == []


def test_a_gain_is_said_and_is_no_regression():
    (gained,) = notices(night(8, 1200.0), [night(n) for n in range(8)])

    assert (gained.kind, gained.is_regression) == (NoticeKind.CAPACITY_GAINED, False)


def test_another_bottleneck_is_noticed_once_it_was_not_among_the_last_five():
    earlier = [night(n) for n in range(8)]
    (changed,) = notices(night(8, binding="memory"), earlier)

    assert (changed.kind, changed.is_regression) == (NoticeKind.BOTTLENECK_CHANGED, True)
    assert changed.statement == "the bottleneck is memory of the target, it was file descriptors"
    earlier[4] = night(4, binding="memory")
    assert notices(night(8, binding="memory"), earlier) == []
    earlier[4], earlier[2] = earlier[2], earlier[4]


def test_another_bottleneck_after_a_gain_is_no_regression():
    found = notices(night(8, 1500.0, binding="memory"), [night(n) for n in range(8)])

    assert [notice.is_regression for notice in found] == [False, False]


@pytest.mark.parametrize(
    ("limit", "kind", "is_regression"),
    [(700.0, NoticeKind.LIMIT_LOWERED, True), (2048.0, NoticeKind.LIMIT_RAISED, False)],
)
def test_another_limit_is_noticed_with_both_values(limit, kind, is_regression):
    (changed,) = notices(night(8, limit=limit), [night(n) for n in range(8)])

    assert (changed.kind, changed.is_regression) == (kind, is_regression)
    assert "from 1,024 descriptors to" in changed.statement


def test_rows_of_earlier_versions_have_no_limits_to_compare():
    old = [replace(night(n), unit_costs={"descriptors": {"unit": "descriptors"}}) for n in range(8)]

    assert notices(night(8), old) == []


def test_the_loss_goes_on_to_be_said_while_most_runs_were_better():
    nights = planted(3, 0.002, loss_at=20)

    assert all(notices(nights[n], nights[:n]) for n in range(20, 26))


@pytest.mark.parametrize(
    "changes",
    [
        {"job": "weekly"},
        {"target": "other"},
        {"profile": "thorough"},
        {"fingerprint": "ff00"},
        {"outcome": Outcome.EXCUSE},
        {"started_at": 1e9 + 99 * DAY_S},
    ],
)
def test_only_comparable_runs_before_it_count(changes):
    assert comparable(night(9), [replace(night(1), **changes)]) == []
    assert comparable(night(9), [night(1)]) == [night(1)]


def test_at_most_the_last_15_are_compared_with():
    assert [row.run for row in comparable(night(30), [night(n) for n in range(30)])] == [
        f"nightly-{n:03}" for n in range(15, 30)
    ]


def test_a_changed_target_file_is_said_and_nothing_compared():
    (said,) = notices(replace(night(8, 500.0), fingerprint="new"), [night(n) for n in range(8)])

    assert (said.kind, said.is_regression) == (NoticeKind.NOT_COMPARABLE, False)
    assert "since nightly-007" in said.statement


def test_the_first_run_and_one_without_a_plan_have_nothing_to_say():
    assert notices(night(0), []) == []
    assert notices(replace(night(8), outcome=Outcome.EXCUSE), [night(0)]) == []


def test_a_slow_decline_that_no_night_shows_is_told_against_the_baseline():
    nights = [night(index, 1000.0 * 0.995**index) for index in range(NIGHTS)]
    found = [
        NoticeKind.BELOW_BASELINE in [each.kind for each in notices(row, nights[:index], nights[0])]
        for index, row in enumerate(nights)
    ]

    assert all(not notices(row, nights[:index]) for index, row in enumerate(nights))
    # 0.995 ** 11 is the first below 0.95.
    assert found == [False] * 11 + [True] * (NIGHTS - 11)


def test_the_baseline_is_named_with_both_values():
    (below,) = notices(night(9, 900.0), [night(8, 900.0)], night(0, 1000.0))

    assert (below.kind, below.is_regression) == (NoticeKind.BELOW_BASELINE, True)
    assert below.statement == "capacity 900 connections, baseline nightly-000 1,000 (-10.0 %)"


@pytest.mark.parametrize(
    "baseline",
    [
        night(0, 1000.0, fingerprint="another"),
        night(0, 1000.0, capacity_low_connections=905.0),
        night(0, 800.0),
        None,
    ],
)
def test_a_baseline_that_says_nothing_of_a_loss_is_silent(baseline):
    assert notices(night(9, 900.0), [night(8, 900.0)], baseline) == []
