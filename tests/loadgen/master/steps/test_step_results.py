from dataclasses import replace

import pytest

from capacity.domain.observation import CutOffKind
from capacity.loadgen.master.steps.step_results import WORKER_JOINED, WORKER_LOST, StepResults
from capacity.workload.profiles.profile import Mix, Pace, Phase, Position, ramp_steps

MIX = Mix(subscriptions_per_connection=1, requests_per_s_per_connection=0.0, poll_interval_s=1.0)
PACE = Pace(connects_per_s=10.0, ramp_timeout_s=10.0, settle_s=1.0, plateau_s=4.0)
STEP = ramp_steps(levels=[10], mix=MIX, pace=PACE)[1]


def test_a_step_is_closed_when_every_worker_has_had_its_say(made, report):
    plateau = made.results.merged(0, Phase.PLATEAU)
    for worker in ("a", "b"):
        plateau.add(worker, report(deliveries=20, seconds=4.0, is_final=True))
    plateau.open_connections.append(10)
    observation, last = made.results.close(STEP, ended_at=9.0)

    assert observation.void is None
    assert 10.0 == observation.load.deliveries_per_s
    assert [(observation, last.histograms)] == made.written.steps
    assert [observation] == made.results.observations


def test_what_the_generator_held_back_itself_is_told_with_its_step(made, report):
    for index, held_s in (
        (0, 0.0),
        (1, 4.5),
        (2, 0.25),
    ):  # The next ramp begins before a step is closed.
        made.results.begin(Position(index=index, phase=Phase.RAMP, since_s=0.0, held_s=held_s))
        made.results.begin(Position(index=index, phase=Phase.PLATEAU, since_s=0.0))
        for worker in ("a", "b"):
            made.results.merged(index, Phase.PLATEAU).add(worker, report(is_final=True))

    closed = [made.results.close(STEP, ended_at=10.0)[0] for _ in range(3)]

    assert [0.0, 4.5, 0.25] == [observation.held_s for observation in closed]


def test_only_the_first_loss_and_the_first_newcomer_of_a_step_give_it_more_time(made):
    said = [
        made.results.note_workers(*each) for each in (("b", ""), ("", "b"), ("b", ""), ("", "b"))
    ]

    assert [True, True, False, False] == said
    assert {WORKER_LOST, WORKER_JOINED} == made.results.disturbances
    assert [("worker_lost", "b"), ("worker_joined", "b")] * 2 == made.written.events


@pytest.mark.parametrize(("held", "is_lost"), [(100, False), (50, False), (49, True), (0, True)])
def test_a_target_that_drops_more_than_half_is_gone(made, pool, held, is_lost):
    made.results._peaks[0] = 100
    pool.open_connections = held

    assert is_lost == (made.results.loss(replace(STEP, connections=100)) is not None)


@pytest.mark.parametrize(
    ("failures", "said"),
    [
        ({}, "the target dropped 6 of 10 connections"),
        (
            {"connection_reset": 5, "closed_by_target": 1},
            "the target dropped 6 of 10 connections, most by connection_reset (5 times)",
        ),
        (
            {"frame_invalid": 70},
            "6 of 10 connections were lost, most by frame_invalid (70 times: the target broke the protocol)",
        ),
    ],
)
def test_a_loss_is_told_with_its_reason_and_whose_doing_it_was(made, pool, report, failures, said):
    made.results._peaks[0], pool.open_connections = 10, 4
    made.results.merged(0, Phase.RAMP).add("a", report(failures=failures))

    assert said == made.results.loss(STEP)


def test_connections_that_went_with_their_worker_are_not_the_targets_doing(made, pool):
    made.results._peaks[0] = 10
    pool.open_connections = 0
    made.results.disturbances.add(WORKER_LOST)

    assert made.results.loss(STEP) is None


def test_the_load_of_this_moment_is_that_of_its_phase(made, report):
    position = Position(index=0, phase=Phase.PLATEAU, since_s=0.0)
    made.results.merged(0, Phase.PLATEAU).add("a", report(deliveries=30, seconds=2.0))
    point = made.results.point(position, failures=3)

    assert (0, "plateau", 10, 15.0, 3) == (
        point.index,
        point.phase,
        point.open_connections,
        point.deliveries_per_s,
        point.failures,
    )


def test_what_was_lost_before_a_phase_is_that_of_the_others(made, report):
    made.results.merged(0, Phase.RAMP).add("a", report(lost=2))
    made.results.merged(0, Phase.SETTLE).add("a", report(lost=3))
    made.results.merged(0, Phase.PLATEAU).add("a", report(lost=4))

    assert 5 == made.results.lost_before(Position(index=0, phase=Phase.PLATEAU, since_s=0.0))
    assert 0 == made.results.lost_before(Position(index=1, phase=Phase.RAMP, since_s=0.0))


def test_what_a_later_step_opens_is_no_peak_of_the_one_before(made, pool, report, said_by_both):
    said_by_both(seconds=3.0)
    pool.most_open = 12
    ahead = report(index=1, phase="ramp", number=2)
    pool.reports.is_new("a", ahead)
    made.results.add("a", ahead)
    late = report(number=2)
    pool.reports.is_new("b", late)
    made.results.add("b", late)

    assert 10 == made.results.close(STEP, ended_at=8.0)[0].connections_peak
    assert 12 == made.results.connections_peak


@pytest.mark.parametrize(
    ("peak", "held", "expired", "is_lost"),
    [(4, 2, 0, False), (4, 1, 0, True), (20, 5, 0, False), (20, 4, 0, True), (10, 4, 1, False)],
)
def test_what_is_lost_is_of_what_there_was_and_was_asked_for(
    made, pool, report, peak, held, expired, is_lost
):
    made.results._peaks[0], pool.open_connections = peak, held
    made.results.merged(0, Phase.PLATEAU).add("a", report(expired=expired))

    assert is_lost is (made.results.loss(STEP) is not None)


@pytest.mark.parametrize(
    ("kind", "reason", "counted"),
    [
        (CutOffKind.REFUSED, "handshake_closed_1013", 150),
        (CutOffKind.NOT_REACHED, "handshake_closed_1013", 150),
        (CutOffKind.LOST, "handshake_closed_1013", 180),
        (CutOffKind.REFUSED, "handshake_rejected_503", 180),
    ],
)
def test_a_cap_is_told_by_who_is_left_where_the_others_were_upgraded_first(
    made, pool, report, kind, reason, counted
):
    made.results._peaks[0], pool.open_connections = 180, 150
    made.results.merged(0, Phase.RAMP).add("a", report(failures={reason: 30}))

    assert counted == made.results.cut_off(kind, "full").connections


def test_a_report_of_a_step_that_is_over_is_left_out(made, report, said_by_both):
    said_by_both(seconds=3.0)
    has_one = made.results.has_open_step
    made.results.close(STEP, ended_at=8.0)
    made.results.add("a", report(deliveries=5))

    assert (True, False) == (has_one, made.results.has_open_step)
    assert 0 == made.results.merged(0, Phase.PLATEAU).total("deliveries")
    assert 0 == made.results.connections_peak


def test_what_is_open_is_told_once_every_worker_has_spoken(made, report):
    gauges = {**report()["gauges"], "open_connections": 4}
    for worker in ("a", "b"):
        made.results.add(worker, report(gauges=gauges))

    assert [8] == made.results.merged(0, Phase.PLATEAU).open_connections


def test_a_step_in_which_nothing_was_opened_has_a_peak_of_none(pool, written, report):
    results = StepResults(pool, written)
    pool.most_open = 0
    said = report(index=0)
    for worker in ("a", "b"):
        pool.reports.is_new(worker, said)
        results.add(worker, said)

    assert 0 == results.connections_peak
