from types import SimpleNamespace

import pytest

from capacity.domain.observation import CutOffKind
from capacity.loadgen.master.steps import step_results
from capacity.loadgen.master.steps.step_results import WORKER_JOINED, WORKER_LOST, StepResults
from capacity.loadgen.master.workers.heard_reports import HeardReports
from capacity.workload.profiles.profile import Mix, Pace, Phase, Position, ramp_steps

MIX = Mix(subscriptions_per_connection=1, requests_per_s_per_connection=0.0, poll_interval_s=1.0)
PACE = Pace(connects_per_s=10.0, ramp_timeout_s=10.0, settle_s=1.0, plateau_s=4.0)
STEP = ramp_steps(levels=[10], mix=MIX, pace=PACE)[1]
PHASES = (Phase.RAMP, Phase.SETTLE, Phase.PLATEAU)


class Written:
    """Takes what would be recorded."""

    def __init__(self):
        self.steps, self.events = [], []

    def event(self, kind, **detail):
        self.events.append((kind, detail["worker"]))

    def now(self):
        return 5.0

    def step(self, observation, histograms):
        self.steps.append((observation, histograms))


@pytest.fixture
def pool():
    return SimpleCrew({"a", "b"})


class SimpleCrew:
    """Workers that are there, without any process: who they are and what they hold."""

    def __init__(self, ids):
        self.ids, self.open_connections, self.users = ids, 10, 10
        self.most_open, self.opening = 10, 1
        self.connections_per_user = 1
        self.reports = HeardReports("")

    def fate(self, _worker):
        return "nothing is known of it"

    def longest_silence_s(self):
        return 0.0

    def __len__(self):
        return len(self.ids)


@pytest.fixture
def book(pool):
    written = Written()
    book = StepResults(pool, written)
    for phase in PHASES:
        book.begin(Position(index=0, phase=phase, since_s=0.0))
    return SimpleNamespace(book=book, written=written)


def test_a_step_is_closed_when_every_worker_has_had_its_say(book, report):
    plateau = book.book.merged(0, Phase.PLATEAU)
    for worker in ("a", "b"):
        plateau.add(worker, report(deliveries=20, seconds=4.0, is_final=True))
    plateau.open_connections.append(10)
    observation, last = book.book.close(STEP, ended_at=9.0)

    assert observation.void is None
    assert 10.0 == observation.load.deliveries_per_s
    assert [(observation, last.histograms)] == book.written.steps
    assert [observation] == book.book.observations


def test_a_worker_that_keeps_silent_makes_a_step_void(book, report, monkeypatch):
    monkeypatch.setattr(step_results, "FINAL_REPORTS_TIMEOUT_S", 0.1)
    book.book.merged(0, Phase.PLATEAU).add("a", report(is_final=True))
    observation, _last = book.book.close(STEP, ended_at=10.0)

    assert "1 worker(s) did not report in time" in observation.void


def test_what_disturbed_one_step_does_not_void_the_next(book, report):
    for index in (0, 1):
        for phase in PHASES:
            book.book.begin(Position(index=index, phase=phase, since_s=0.0))
        for worker in ("a", "b"):
            book.book.merged(index, Phase.PLATEAU).add(worker, report(is_final=True))
    book.book.disturbances.add(WORKER_LOST)
    voids = [book.book.close(STEP, ended_at=10.0)[0].void for _ in range(2)]

    assert WORKER_LOST in voids[0]
    assert voids[1] is None or WORKER_LOST not in voids[1]


def test_only_the_first_loss_and_the_first_newcomer_of_a_step_give_it_more_time(book):
    said = [book.book.note_workers(*each) for each in (("b", ""), ("", "b"), ("b", ""), ("", "b"))]

    assert [True, True, False, False] == said
    assert {WORKER_LOST, WORKER_JOINED} == book.book.disturbances
    assert [("worker_lost", "b"), ("worker_joined", "b")] * 2 == book.written.events


@pytest.mark.parametrize(("held", "is_lost"), [(10, False), (5, False), (4, True), (0, True)])
def test_a_target_that_drops_more_than_half_is_gone(book, pool, held, is_lost):
    book.book._peaks[0] = 10
    pool.open_connections = held

    assert is_lost == (book.book.loss(STEP) is not None)


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
def test_a_loss_is_told_with_its_reason_and_whose_doing_it_was(book, pool, report, failures, said):
    book.book._peaks[0], pool.open_connections = 10, 4
    book.book.merged(0, Phase.RAMP).add("a", report(failures=failures))

    assert said == book.book.loss(STEP)


def test_a_ramp_in_which_the_target_breaks_the_protocol_reached_no_limit(book, pool, report):
    book.book._peaks[0] = 4
    ramp = book.book.merged(0, Phase.RAMP)
    for worker, invalid in (("a", 45), ("b", 40)):
        failures = {"frame_invalid": invalid}
        ramp.add(worker, report(failures=failures, connects=invalid + 2, is_final=True))
    cut_off = book.book.unreached(STEP)

    assert CutOffKind.LOST == cut_off.kind
    assert "85 connections of 89 that were opened were lost, most by frame_invalid (85" in (
        cut_off.statement
    )


def test_connections_that_went_with_their_worker_are_not_the_targets_doing(book, pool):
    book.book._peaks[0] = 10
    pool.open_connections = 0
    book.book.disturbances.add(WORKER_LOST)

    assert book.book.loss(STEP) is None


def test_the_load_of_this_moment_is_that_of_its_phase(book, report):
    position = Position(index=0, phase=Phase.PLATEAU, since_s=0.0)
    book.book.merged(0, Phase.PLATEAU).add("a", report(deliveries=30, seconds=2.0))
    point = book.book.point(position, failures=3)

    assert (0, "plateau", 10, 15.0, 3) == (
        point.index,
        point.phase,
        point.open_connections,
        point.deliveries_per_s,
        point.failures,
    )


@pytest.mark.parametrize(
    ("failures", "deliveries", "kind", "said"),
    [
        ({"handshake_rejected_503": 4}, 0, CutOffKind.NOT_REACHED, "handshake_rejected_503"),
        ({"handshake_rejected_429": 4}, 0, CutOffKind.NOT_REACHED, "source_addresses"),
        ({"connect_timeout": 4}, 9, CutOffKind.NOT_REACHED, "connect_timeout"),
        ({"connect_timeout": 4}, 0, CutOffKind.SILENT, "4 connect attempts timed out"),
        ({}, 0, CutOffKind.SILENT, "10 s: 1 connect attempt had no answer yet while 5 were"),
    ],
)
def test_a_target_that_is_full_is_told_from_one_that_hangs(
    pool, report, failures, deliveries, kind, said
):
    book = StepResults(pool, Written())
    book.begin(Position(index=0, phase=Phase.RAMP, since_s=0.0))
    book._peaks[0] = 5
    for worker in sorted(pool.ids):
        book.merged(0, Phase.RAMP).add(
            worker,
            report(
                failures={reason: count // 2 for reason, count in failures.items()},
                deliveries=deliveries,
                seconds=1.0,
                is_final=True,
            ),
        )
    cut_off = book.unreached(STEP)

    assert (kind, 5) == (cut_off.kind, cut_off.connections)
    assert said in cut_off.statement


def test_what_was_lost_before_a_phase_is_that_of_the_others(book, report):
    book.book.merged(0, Phase.RAMP).add("a", report(lost=2))
    book.book.merged(0, Phase.SETTLE).add("a", report(lost=3))
    book.book.merged(0, Phase.PLATEAU).add("a", report(lost=4))

    assert 5 == book.book.lost_before(Position(index=0, phase=Phase.PLATEAU, since_s=0.0))
    assert 0 == book.book.lost_before(Position(index=1, phase=Phase.RAMP, since_s=0.0))


def reports_of(book, pool, report, *, seconds=4.0, **changes):
    """Let both workers say their one and last word about the plateau."""
    for worker in ("a", "b"):
        said = report(seconds=seconds, is_final=True, **changes)
        pool.reports.is_new(worker, said)
        book.book.add(worker, said)


def test_a_worker_that_stood_still_makes_its_step_void(book, pool, report):
    reports_of(book, pool, report, seconds=3.1)

    assert "a worker stood still" in book.book.close(STEP, ended_at=8.0)[0].void


def test_a_worker_that_did_not_stand_still_voids_nothing(book, pool, report):
    reports_of(book, pool, report, seconds=3.0)

    assert book.book.close(STEP, ended_at=8.0)[0].void is None


def test_a_clock_that_is_set_makes_the_step_void(book, pool, report):
    reports_of(book, pool, report, seconds=3.0, clock_set_s=-3600.0)
    void = book.book.close(STEP, ended_at=8.0)[0].void

    assert "the clock of a generator's host was set by -3600.0 s" == void


@pytest.mark.parametrize(
    ("seconds", "is_void"), [(1.4, True), (1.6, False), (3.4, False), (3.6, True)]
)
def test_a_worker_has_to_count_on_the_plateau_and_not_beside_it(
    book, pool, report, monkeypatch, seconds, is_void
):
    monkeypatch.setattr(step_results, "SILENCE_S", 60.0)
    reports_of(book, pool, report, seconds=seconds)
    void = book.book.close(STEP, ended_at=8.0)[0].void  # It began at 5.

    said = f"a worker counted for {seconds} s on a plateau of 3.0 s"
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
    book, pool, report, open_connections, connections_per_user, void
):
    pool.connections_per_user = connections_per_user
    reports_of(book, pool, report, seconds=3.0)
    book.book.merged(0, Phase.PLATEAU).open_connections.append(open_connections)

    assert void == book.book.close(STEP, ended_at=8.0)[0].void


def test_a_report_that_is_missing_makes_its_step_void(book, pool, report, monkeypatch):
    monkeypatch.setattr(step_results, "FINAL_REPORTS_TIMEOUT_S", 0.1)
    reports_of(book, pool, report, seconds=3.0, number=2)

    assert "2 report(s) of workers were lost" == book.book.close(STEP, ended_at=8.0)[0].void


def test_what_a_later_step_opens_is_no_peak_of_the_one_before(book, pool, report):
    reports_of(book, pool, report, seconds=3.0)
    pool.most_open = 12
    ahead = report(index=1, phase="ramp", number=2)
    pool.reports.is_new("a", ahead)
    book.book.add("a", ahead)
    late = report(number=2)
    pool.reports.is_new("b", late)
    book.book.add("b", late)

    assert 10 == book.book.close(STEP, ended_at=8.0)[0].connections_peak
    assert 12 == book.book.connections_peak


@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        ({"silent_s": 3.1}, "a worker has not been heard for 3.1 s"),
        ({"opening": 0}, "nobody tried to connect any more"),
    ],
)
def test_a_ramp_that_the_generator_did_not_finish_is_not_the_targets_doing(
    book, pool, report, monkeypatch, trouble, said
):
    monkeypatch.setattr(pool, "longest_silence_s", lambda: trouble.get("silent_s", 3.0))
    pool.opening = trouble.get("opening", 1)
    for worker in ("a", "b"):
        book.book.merged(0, Phase.RAMP).add(worker, report(is_final=True))
    cut_off = book.book.unreached(STEP)

    assert (CutOffKind.STOPPED, f"the generator did not open them: {said}") == (
        cut_off.kind,
        cut_off.statement,
    )
