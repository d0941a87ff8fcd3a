"""Stages as two workers are told them, at full rate and in distress."""

from types import SimpleNamespace

import pytest

from capacity.loadgen.master.workers.load_shares import LoadShares
from capacity.workload.profiles.profile import Mix, Pace, Phase, Position, ramp_steps

MIX = Mix(subscriptions_per_connection=1, requests_per_s_per_connection=0.5, poll_interval_s=1.0)
PACE = Pace(connects_per_s=100.0, ramp_timeout_s=10.0, settle_s=1.0, plateau_s=4.0)
STEPS = ramp_steps(levels=[60, 120], mix=MIX, pace=PACE)
RAMP = Position(index=1, phase=Phase.RAMP, since_s=0.0)


class Pool(list):
    """Those who are there; takes what they are told."""

    def __init__(self, workers):
        super().__init__(workers)
        self.told = []

    def tell_stage(self, stage):
        self.told.append(stage)


def told(workers=("a", "b"), rate_ratio=1.0, *, is_careful=False, **changes):
    pool = Pool(workers)
    shares = LoadShares(pool, SimpleNamespace(rate_ratio=rate_ratio), is_careful=is_careful)
    shares.tell(STEPS, RAMP, **changes)
    (stage,) = pool.told
    return stage


def test_each_worker_gets_its_share_of_rates():
    assert (50.0, 15.0) == (told().connects_per_s, told().requests_per_s)


def test_where_nobody_is_yet_a_share_is_all():
    assert 100.0 == told(()).connects_per_s


@pytest.mark.parametrize(("is_careful", "connects_per_s"), [(False, 25.0), (True, 2.5)])
def test_distress_slows_down_what_the_step_or_care_allows(is_careful, connects_per_s):
    assert connects_per_s == told(("a",), 0.25, is_careful=is_careful).connects_per_s


@pytest.mark.parametrize(
    ("workers", "arrivals", "gap_s"),
    # 60 connections in six seconds; an eased worker goes down to one a second.
    [("a", "even", 1.0), (range(30), "even", 3.0), (range(30), "poisson", 15.0)],
)
def test_a_careful_ramp_has_gaps_of_its_own_pace(workers, arrivals, gap_s):
    distress = SimpleNamespace(rate_ratio=1.0)
    shares = LoadShares(Pool(workers), distress, is_careful=True)

    assert gap_s == pytest.approx(shares.longest_gap_s(STEPS, 1, arrivals))


def test_a_stage_can_be_told_with_changes():
    assert -1 == told(index=-1).index
