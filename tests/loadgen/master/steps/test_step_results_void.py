"""What makes a step void: workers, clocks and reports that cannot be trusted on its plateau."""

import gevent
import pytest

from capacity.loadgen.master.steps import step_results
from capacity.loadgen.master.steps.step_results import WORKER_LOST
from capacity.workload.profiles.profile import Mix, Pace, Phase, Position, ramp_steps

MIX = Mix(subscriptions_per_connection=1, requests_per_s_per_connection=0.0, poll_interval_s=1.0)
PACE = Pace(connects_per_s=10.0, ramp_timeout_s=10.0, settle_s=1.0, plateau_s=4.0)
STEP = ramp_steps(levels=[10], mix=MIX, pace=PACE)[1]
PHASES = (Phase.RAMP, Phase.SETTLE, Phase.PLATEAU)


def test_a_worker_that_keeps_silent_makes_a_step_void(made, report, monkeypatch):
    monkeypatch.setattr(step_results, "FINAL_REPORTS_TIMEOUT_S", 0.1)
    made.results.merged(0, Phase.PLATEAU).add("a", report(is_final=True))
    observation, _last = made.results.close(STEP, ended_at=10.0)

    assert "1 worker(s) did not report in time" in observation.void


def test_what_disturbed_one_step_does_not_void_the_next(made, report):
    for index in (0, 1):
        for phase in PHASES:
            made.results.begin(Position(index=index, phase=phase, since_s=0.0))
        for worker in ("a", "b"):
            made.results.merged(index, Phase.PLATEAU).add(worker, report(is_final=True))
    made.results.disturbances.add(WORKER_LOST)
    voids = [made.results.close(STEP, ended_at=10.0)[0].void for _ in range(2)]

    assert WORKER_LOST in voids[0]
    assert voids[1] is None or WORKER_LOST not in voids[1]


def test_a_worker_that_stood_still_makes_its_step_void(made, said_by_both):
    said_by_both(seconds=3.1)

    assert "a worker stood still" in made.results.close(STEP, ended_at=8.0)[0].void


def test_a_worker_that_did_not_stand_still_voids_nothing(made, said_by_both):
    said_by_both(seconds=3.0)

    assert made.results.close(STEP, ended_at=8.0)[0].void is None


def test_a_clock_that_is_set_makes_the_step_void(made, said_by_both):
    said_by_both(seconds=3.0, clock_set_s=-3600.0)
    void = made.results.close(STEP, ended_at=8.0)[0].void

    assert "the clock of a generator's host was set by -3600.0 s" == void


@pytest.mark.parametrize(
    ("seconds", "is_void"), [(1.4, True), (1.5, False), (1.6, False), (3.45, False), (3.55, True)]
)
def test_a_worker_has_to_count_on_the_plateau_and_not_beside_it(
    made, said_by_both, monkeypatch, seconds, is_void
):
    monkeypatch.setattr(step_results, "SILENCE_S", 60.0)
    said_by_both(seconds=seconds)
    void = made.results.close(STEP, ended_at=8.0)[0].void  # It began at 5.

    said = f"a worker counted for {seconds:.1f} s on a plateau of 3.0 s"
    assert void == (said if is_void else None)


@pytest.mark.parametrize(
    ("open_connections", "connections_per_user", "void"),
    [
        (10, 1, None),
        (11, 1, "11 connections were open on a plateau of 10"),
        (12, 4, None),
        (13, 4, "13 connections were open on a plateau of 12"),
    ],
)
def test_users_of_the_next_step_on_a_plateau_make_it_void(
    made, pool, said_by_both, open_connections, connections_per_user, void
):
    pool.connections_per_user = connections_per_user
    said_by_both(seconds=3.0)
    made.results.merged(0, Phase.PLATEAU).open_connections.append(open_connections)

    assert void == made.results.close(STEP, ended_at=8.0)[0].void


def test_a_report_that_is_missing_makes_its_step_void(made, report, said_by_both, monkeypatch):
    monkeypatch.setattr(step_results, "FINAL_REPORTS_TIMEOUT_S", 0.1)
    said_by_both(seconds=3.0, number=2)

    assert "2 report(s) of workers were lost" == made.results.close(STEP, ended_at=8.0)[0].void


def test_a_report_that_comes_late_is_waited_for(made, pool, report, said_by_both):
    said_by_both(seconds=3.0, number=2)

    def catch_up():
        for worker in ("a", "b"):
            pool.reports.is_new(worker, report(number=1))

    gevent.spawn_later(0.05, catch_up)

    assert made.results.close(STEP, ended_at=8.0)[0].void is None


@pytest.mark.parametrize(("seconds", "is_void"), [(11.4, False), (11.6, True)])
def test_on_a_long_plateau_a_worker_may_go_on_for_a_share_of_it(
    made, said_by_both, monkeypatch, seconds, is_void
):
    monkeypatch.setattr(step_results, "SILENCE_S", 60.0)
    said_by_both(seconds=seconds)

    assert is_void is (made.results.close(STEP, ended_at=15.0)[0].void is not None)


@pytest.mark.parametrize(
    ("set_s", "is_void"), [(0.09, False), (-0.09, False), (0.11, True), (-0.11, True)]
)
def test_a_clock_that_is_slewed_is_not_set(made, said_by_both, set_s, is_void):
    said_by_both(seconds=3.0, clock_set_s=set_s)

    assert is_void is (made.results.close(STEP, ended_at=8.0)[0].void is not None)
