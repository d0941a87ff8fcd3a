"""Newcomers of a real small target, which refuses by a planted rule."""

import runpy
from dataclasses import replace
from pathlib import Path

import pytest

from capacity.domain.observation import CutOff, CutOffKind
from capacity.loadgen.master.guards.newcomers import (
    FIRST_TRIES,
    MORE_TRIES,
    Newcomers,
    try_newcomers,
    was_refused,
)
from capacity.loadgen.master.steps.step_summary import observe
from capacity.settings.dialect import load_dialect
from capacity.settings.locate import find
from capacity.workload.profiles.profile import Phase

TESTS = Path(__file__).parents[3]
SmallTarget = runpy.run_path(str(TESTS / "loadgen" / "small_target.py"))["SmallTarget"]
STEP = runpy.run_path(str(TESTS / "bare_records.py"))["step_of"]()
DIALECT = load_dialect(find("dialects", "deribit"))
BANNED = 403


@pytest.fixture
def small():
    target = SmallTarget()
    target.host = "127.0.0.1"
    yield target
    target.close()


@pytest.fixture
def tried(small, target_file):
    """Return what newcomers met; before each of them the target answers with the next status."""

    def try_all(*statuses):
        due = iter(statuses)

        def turn(_pause_s):
            small.status = next(due, small.status)

        return try_newcomers(target_file(small), DIALECT, turn)

    return try_all


def test_a_target_with_room_again_lets_all_in(tried, small):
    assert Newcomers(tried=MORE_TRIES, refused=0, reason=None) == tried(101)
    assert 1 + MORE_TRIES == len(small.arrived_s)


def test_who_notices_late_that_others_have_left_is_waited_for(tried):
    late = [503] * (FIRST_TRIES - 1)

    assert Newcomers(tried=MORE_TRIES, refused=0, reason=None) == tried(*late, 101)


def test_a_ban_refuses_all(tried, small):
    all_refused = Newcomers(
        tried=FIRST_TRIES, refused=FIRST_TRIES, reason=f"handshake_rejected_{BANNED}"
    )

    assert all_refused == tried(BANNED)
    assert FIRST_TRIES == len(small.arrived_s)


def test_a_target_that_sheds_refuses_some(tried):
    seen = tried(101, 503, 101, 101, 503, 101)

    assert (2, MORE_TRIES, "handshake_rejected_503") == (seen.refused, seen.tried, seen.reason)


def test_of_a_target_that_is_gone_nothing_is_said(tried, small):
    small.close()

    assert tried(101) is None


@pytest.mark.parametrize(
    ("kind", "reason", "refused"),
    [
        (CutOffKind.REFUSED, "handshake_rejected_503", True),
        (CutOffKind.NOT_REACHED, "connect_reset", True),
        (CutOffKind.NOT_REACHED, "connect_timeout", False),
        (CutOffKind.LOST, "handshake_rejected_503", False),
    ],
)
def test_only_who_turned_newcomers_away_is_asked(kind, reason, refused):
    step = observe(
        index=1,
        step=STEP,
        times={Phase.RAMP: 100.0},
        ended_at=106.0,
        merged_counts={},
        connections_peak=5,
        users=5,
        workers=1,
        disturbances=(),
    )
    cut = CutOff(kind=kind, statement="so it ended", connections=5)

    assert refused == was_refused(replace(step, cut_off=cut, failures={reason: 9, "lost": 1}))
    assert not was_refused(step)
