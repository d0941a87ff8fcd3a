"""Whole tiny runs with Locust's own runners against the real exchange."""

from locust.env import Environment
from locust.event import Events

import resource
import runpy
import shutil
import time
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from statistics import median

import gevent
import pytest

from capacity.domain.observation import CutOffKind
from capacity.domain.resources import Resource
from capacity.loadgen.client.poller import Poller
from capacity.loadgen.client.subscriber import Subscriber
from capacity.loadgen.client.worker import Worker
from capacity.loadgen.master import recorder
from capacity.loadgen.master.controller import Controller
from capacity.loadgen.master.open_run import AskedRun
from capacity.loadgen.protocol import messages
from capacity.recording.run_directory import load
from capacity.settings.profile import ADAPTER

SmallTarget = runpy.run_path(str(Path(__file__).parents[1] / "small_target.py"))["SmallTarget"]
LET_IN = 4
"""By a target that bans: the trial of a preflight, and three of the run."""
PATIENCE_S = 25
BLINK_S, STOOD_STILL_S = 0.05, 0.3
UPDATES_PER_S = 10
"""Of each instrument on each of its channels, at the exchange of all tests."""


@pytest.fixture(autouse=True, scope="module")
def _quick_and_with_limits_as_before():
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recorder, "FETCH_INTERVAL_S", 0.2)
        yield
    resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def profile(**changes):
    settings = {
        "profile": 1,
        "name": "tiny",
        "kind": "ramp",
        "levels": [2, 4],
        "connects_per_s": 50,
        "settle_s": 0.05,
        "plateau_s": 1,
        "ramp_timeout_s": 5,
        "poll_interval_s": 0.5,
        "mix": {"subscriptions_per_connection": 2, "requests_per_s_per_connection": 2},
    }
    return ADAPTER.validate_python({**settings, **changes})


def two_levels(start, limit, **changes):
    """Return a search that is over at *limit* connections where nothing breaks: two steps."""
    settings = profile().model_dump(exclude={"levels", "kind", "storm"})
    span = {"kind": "break", "start": start, "growth": 10, "limit": limit}
    return ADAPTER.validate_python({**settings, **span, **changes})


def environment_of_its_own():
    class Followers(Subscriber):
        weight = 1

    class Askers(Poller):
        weight = 0

    return Environment(user_classes=[Followers, Askers], events=Events())


class Run:
    """A controller and the runner that it drives, as the load shape would."""

    def __init__(self, environment, target, profile, path, workers=1):
        self.path = path
        self.controller = None
        environment.runner.register_message(messages.COUNTS, self._on_counts)
        asked = AskedRun(target=target, profile=profile, path=path, workers=workers)
        self.controller = Controller(environment, asked)
        self.controller.begin()
        self._shape = gevent.spawn(self._offer, environment.runner)

    def _on_counts(self, msg, **_):
        if self.controller is not None:
            self.controller.on_counts(msg.node_id, msg.data)

    def _offer(self, runner):
        offered = None
        while due := self.controller.users_due():
            if due != offered:
                runner.start(*due)
                offered = due
            gevent.sleep(0.1)

    def until(self, condition):
        with gevent.Timeout(PATIENCE_S):
            while not condition(self.controller):
                gevent.sleep(0.02)

    def to_its_end(self):
        self.until(lambda controller: controller.is_over)
        return load(self.path)

    def end(self):
        self.controller.abort(("aborted", {"reason": "the test is over", "exit_code": 1}))
        self._shape.kill()


@contextmanager
def local_run(target, profile, path):
    """Begin a run in this process, without workers."""
    environment = environment_of_its_own()
    runner = environment.create_local_runner()
    Worker(environment)
    run = Run(environment, target, profile, path)
    try:
        yield run
    finally:
        run.end()
        runner.quit()


@pytest.fixture
def start_run(tmp_path):
    with ExitStack() as stack:
        yield lambda target, profile: stack.enter_context(
            local_run(target, profile, tmp_path / "run")
        )


@pytest.fixture(scope="module")
def recorded(exchange, agent, target_file, tmp_path_factory):
    """The record of a whole run, and the run."""
    path = tmp_path_factory.mktemp("whole") / "run"
    with local_run(target_file(exchange, agent.url), profile(), path) as run:
        yield run.to_its_end(), run


def end_of(record):
    (end,) = [event for event in record.events if event.kind in {"finished", "aborted"}]
    return end.kind, end.detail


def at_plateau(index):
    return lambda controller: (
        (controller.position.index, controller.position.phase) == (index, "plateau")
        and controller.open_connections >= controller.steps[index].connections
    )


def test_a_whole_run_leaves_a_record_with_the_load_that_was_planted(recorded):
    record, run = recorded

    assert ("finished", {}) == end_of(record)
    assert () == record.missing
    assert 0 == run.controller.exit_code
    assert [None] * 3 == [step.void for step in record.steps]
    assert [0, 2, 4] == [step.load.connections for step in record.steps]
    assert [0, 2, 4] == [step.connections_peak for step in record.steps]
    assert [0, 2, 2] == [step.connects for step in record.steps]
    assert [{}, {}, {}] == [step.failures for step in record.steps]
    for step in record.steps:
        connections = step.step.connections
        followed = 2 * UPDATES_PER_S * connections
        assert pytest.approx(followed, rel=0.15) == step.load.deliveries_per_s
        assert pytest.approx(2 * connections, rel=0.3) == step.load.requests_per_s
        assert 0.99 < step.plateau_ended_at - step.plateau_started_at < 1.3
        assert 0 == step.lost == step.gaps == step.unmatched


def test_the_record_names_the_hosts_of_the_workers(recorded):
    [host] = recorded[0].manifest.generator["hosts"].values()

    assert (1, 0.0) == (host["workers"], host["clock_offset_s"])


def test_histograms_and_quantiles_of_a_step_tell_the_same(recorded):
    for step in recorded[0].steps[1:]:
        for series in ("delivery_delay", "request_latency"):
            quantiles = getattr(step, series)
            histogram = recorded[0].histograms[step.index, series]
            assert histogram.total == quantiles.count > 0
            assert histogram.quantile_us(0.5) / 1e6 == quantiles.p50_s < 0.2


def test_a_user_holds_each_connection_and_pollers_come_on_top(recorded):
    pollers = 4  # 4 connections with 2 polls a second each, every poller twice a second at least.

    assert [2 + pollers, 4 + pollers] == [step.users for step in recorded[0].steps[1:]]


def test_phases_follow_one_another(recorded):
    phases = [event for event in recorded[0].events if event.kind == "phase"]
    told = [(event.detail["index"], event.detail["phase"]) for event in phases]

    assert [(n, phase) for n in (0, 1, 2) for phase in ("ramp", "settle", "plateau")] == told


def test_samples_cover_every_plateau_and_show_its_connections(recorded):
    used = []
    for step in recorded[0].steps:
        covered = [
            sample.used[Resource.DESCRIPTORS]
            for sample in recorded[0].samples
            if step.plateau_started_at <= sample.at <= step.plateau_ended_at
        ]
        assert 8 <= len(covered) <= 13
        used.append(max(covered))
    idle = used[0]

    assert all(
        step.step.connections <= held - idle <= step.step.connections + 5
        for step, held in zip(recorded[0].steps, used, strict=True)
    )


def test_the_load_is_noted_once_a_second(recorded):
    points = recorded[0].points

    assert len(points) >= 3
    gaps_s = [b.at - a.at for a, b in pairwise(points)]
    assert min(gaps_s) > 0.9
    assert median(gaps_s) < 1.5
    assert {0, 2, 4} >= {point.open_connections for point in points if point.phase == "plateau"}


def test_connections_per_user_spare_users_not_connections(exchange, target_file, start_run):
    descriptors = Path(f"/proc/{exchange.pid}/fd")
    before = len(list(descriptors.iterdir()))
    no_polls = {"subscriptions_per_connection": 1, "requests_per_s_per_connection": 0}
    run = start_run(target_file(exchange), two_levels(3, 6, connections_per_user=3, mix=no_polls))
    run.until(at_plateau(1))
    held = len(list(descriptors.iterdir())) - before
    last = run.to_its_end().steps[-1]
    with gevent.Timeout(PATIENCE_S):  # The load is gone when the run is over.
        while len(list(descriptors.iterdir())) > before:
            gevent.sleep(0.02)

    assert (2, 6, 6) == (last.users, last.load.connections, held)


def test_a_target_that_dies_ends_the_run_and_keeps_the_steps_before(
    start_exchange, target_file, start_run
):
    exchange = start_exchange()
    run = start_run(target_file(exchange), profile())
    run.until(at_plateau(2))
    exchange.process.kill()
    record = run.to_its_end()
    kind, detail = end_of(record)

    assert ("aborted", 4) == (kind, detail["exit_code"])
    assert "the target dropped 4 of 4 connections, most by " in detail["reason"]
    assert ") in step 2; the steps" in detail["reason"]
    assert 4 == run.controller.exit_code
    assert [None, None, CutOffKind.LOST] == [
        step.cut_off and step.cut_off.kind for step in record.steps
    ]
    assert (4, 4) == (record.steps[2].lost, record.steps[2].cut_off.connections)


def test_the_death_of_a_target_is_named_by_the_agent(
    start_exchange, start_agent, target_file, start_run
):
    exchange = start_exchange()
    agent = start_agent("--pid", exchange.pid)
    run = start_run(target_file(exchange, agent.url), profile())
    run.until(at_plateau(2))
    exchange.process.kill()
    record = run.to_its_end()
    last = record.steps[-1].cut_off

    assert (CutOffKind.DIED, 4) == (last.kind, last.connections)
    assert f"the target, pid {exchange.pid}, exited at about 4 connections" == last.statement
    assert last.statement in end_of(record)[1]["reason"]


def test_a_target_that_is_shut_down_on_purpose_is_said_to_be_with_code_and_words(
    start_exchange, target_file, start_run
):
    exchange = start_exchange("--shutdown-notice-s=0.2", "--shutdown-code=1012")
    run = start_run(target_file(exchange), profile())
    run.until(at_plateau(2))
    exchange.process.terminate()
    record = run.to_its_end()
    kind, detail = end_of(record)

    assert ("aborted", 4) == (kind, detail["exit_code"])
    assert "; the target closed with 1012 'service restart', as in a planned" in detail["reason"]
    assert "planned shutdown" in record.steps[-1].cut_off.statement
    assert [0, 0, 0] == [step.unmatched for step in record.steps]


@pytest.mark.parametrize(
    "slow_polls",
    [
        {"poll_interval_s": 3},
        {"mix": {"subscriptions_per_connection": 2, "requests_per_s_per_connection": 200}},
    ],
    ids=["the first of each poller comes before", "pollers are many"],
)
def test_time_in_which_the_generator_lets_nobody_connect_is_no_part_of_a_ramps_time(
    start_exchange, target_file, start_run, slow_polls
):
    settings = profile(levels=[2, 4], ramp_timeout_s=1, plateau_s=1, **slow_polls)
    record = start_run(target_file(start_exchange()), settings).to_its_end()

    assert ("finished", {}) == end_of(record)
    assert [0, 2, 4] == [step.connections_peak for step in record.steps]


def test_polls_that_come_one_by_one_are_all_there_before_they_are_measured(
    start_exchange, start_agent, target_file, start_run
):
    exchange = start_exchange()
    agent = start_agent("--pid", exchange.pid)
    steps = [{"connections": 3, "requests_per_s_per_connection": each} for each in (0, 4)]
    changed = {"kind": "sequence", "steps": steps, "poll_interval_s": 3}
    settings = ADAPTER.validate_python(profile().model_dump(exclude={"levels", "storm"}) | changed)
    record = start_run(target_file(exchange, agent.url), settings).to_its_end()
    polling = record.steps[-1]
    used = [
        sample.used[Resource.DESCRIPTORS]
        for sample in record.samples
        if polling.plateau_started_at <= sample.at <= polling.plateau_ended_at
    ]

    assert len(used) >= 3
    assert 1 == len(set(used))


def test_a_target_that_is_gone_before_anything_is_open_is_no_limit_that_was_reached(
    start_exchange, target_file, start_run
):
    exchange = start_exchange()
    run = start_run(target_file(exchange), profile(ramp_timeout_s=1))
    run.until(lambda controller: controller.position.phase == "plateau")
    exchange.process.kill()
    kind, detail = end_of(run.to_its_end())

    assert ("aborted", 4, 1) == (kind, detail["exit_code"], detail["not_reached"])


def test_a_step_that_is_not_reached_ends_the_run_as_a_finding(
    start_exchange, target_file, start_run
):
    exchange = start_exchange("--max-connections", "3")
    settings = profile(levels=[2, 5], ramp_timeout_s=1.5)
    run = start_run(target_file(exchange, rest=None), settings)
    record = run.to_its_end()
    kind, detail = end_of(record)
    last = record.steps[-1]

    assert ("finished", 2) == (kind, detail["not_reached"])
    assert "step 2 asked for 5 connections; the target held 3" in detail["reason"]
    assert 0 == run.controller.exit_code
    assert ([0, 1, 2], None, 3) == (
        [step.index for step in record.steps],
        last.plateau_started_at,
        last.connections_peak,
    )
    assert last.failures["handshake_rejected_503"] >= 2
    assert [0] == [event.detail["refused"] for event in record.events if event.kind == "newcomers"]


def test_a_target_that_refuses_with_nobody_connected_is_said_to(target_file, start_run):
    class Banning(SmallTarget):
        @property
        def status(self):
            return 101 if len(self.arrived_s) <= LET_IN else 403

        @status.setter
        def status(self, _given): ...

    target = Banning()
    target.host = "127.0.0.1"
    run = start_run(target_file(target, rest=None), profile(levels=[2, 5], ramp_timeout_s=1.5))
    record = run.to_its_end()
    target.close()
    said = next(event.detail for event in record.events if event.kind == "newcomers")

    assert record.steps[-1].cut_off.kind is CutOffKind.NOT_REACHED
    assert said["tried"] == said["refused"] > 1
    assert "handshake_rejected_403" == said["reason"]


class TestSearch:
    """For the most connections that a real exchange admits."""

    def trials(self, record):
        return [
            (event.detail["connections"], event.detail["failure"])
            for event in record.events
            if event.kind == "trial"
        ]

    def test_the_limit_is_found_and_named_after_the_target_was_relieved(
        self, start_exchange, target_file, start_run
    ):
        exchange = start_exchange("--max-connections", "5")
        settings = two_levels(2, 8, ramp_timeout_s=5)
        run = start_run(target_file(exchange, rest=None), settings)
        record = run.to_its_end()
        kind, detail = end_of(record)

        ends = (kind, detail["last_passing"], detail["first_failing"])
        assert ("finished", 5, 6) == ends, detail["reason"]
        assert "5 connections were held, 6 failed: 5 of 6 connections were open" in detail["reason"]
        assert ("not_all_open", 5, 6) == (
            detail["binding_slo"]["condition"],
            detail["binding_slo"]["number"],
            detail["binding_slo"]["bound"],
        )
        assert [(2, None), (8, "not_all_open"), (5, None), (6, "not_all_open")] == self.trials(
            record
        )
        assert [2, 8, 1, 5, 6] == [step.step.connections for step in record.steps]
        assert 0 == run.controller.exit_code

    def test_a_target_that_does_not_recover_ends_the_search_with_what_it_found(
        self, start_exchange, target_file, start_run
    ):
        exchange = start_exchange()
        run = start_run(target_file(exchange, rest=None), two_levels(2, 4, ramp_timeout_s=1))
        run.until(at_plateau(1))
        exchange.process.kill()
        kind, detail = end_of(run.to_its_end())

        assert ("aborted", 4, 2) == (kind, detail["exit_code"], detail["last_passing"])
        assert "the target did not recover: 0 of 1 connection" in detail["reason"]

    def test_an_objective_can_be_what_binds(self, exchange, target_file, start_run):
        objective = {"delivery_delay": {"quantile": 0.5, "limit_s": 1e-6}}
        run = start_run(target_file(exchange, rest=None, slo=objective), two_levels(2, 4))
        kind, detail = end_of(run.to_its_end())

        assert ("finished", None, 1) == (kind, detail["last_passing"], detail["first_failing"])
        assert "delivery_delay" == detail["binding_slo"]["condition"]


def test_a_run_that_is_stopped_says_so_once_and_with_the_exit_code_of_an_interrupt(
    exchange, target_file, start_run
):
    run = start_run(target_file(exchange), profile(plateau_s=60))
    run.until(lambda controller: controller.position.phase == "plateau")
    for _ in range(2):
        run.controller.abort(("aborted", {"reason": "it was stopped", "exit_code": 130}))
    record = load(run.path)

    assert ("aborted", {"reason": "it was stopped", "exit_code": 130}) == end_of(record)
    assert 130 == run.controller.exit_code
    assert "the end: the run was aborted (it was stopped)" in record.missing
    assert run.controller.users_due() is None


def test_locust_is_asked_for_nothing_else_while_a_run_ends_or_a_dead_worker_is_counted(
    exchange, target_file, start_run, monkeypatch
):
    controller = start_run(target_file(exchange), profile(plateau_s=60)).controller
    first = controller.users_due()
    controller.position = replace(controller.position, index=1)
    monkeypatch.setattr(controller.pool, "has_dead", lambda: True)
    beside_the_dead = controller.users_due()
    monkeypatch.undo()
    monkeypatch.setattr(controller._closing, "ending", ("aborted", {}))
    while_it_ends = controller.users_due()
    monkeypatch.undo()

    assert first == beside_the_dead == while_it_ends
    assert first != controller.users_due()


def test_a_record_that_cannot_be_written_any_more_ends_the_run(exchange, target_file, start_run):
    run = start_run(target_file(exchange), profile(plateau_s=60))
    run.until(lambda controller: controller.position.phase == "plateau")
    shutil.rmtree(run.path)
    run.until(lambda controller: controller.is_over)

    assert 5 == run.controller.exit_code


class TestMasterAndWorkers:
    """A real master and real workers, all in this process, joined over TCP."""

    @pytest.fixture
    def master(self):
        environment = environment_of_its_own()
        environment.create_master_runner("127.0.0.1", 0)
        yield environment
        environment.runner.quit()

    @pytest.fixture
    def join(self, master):
        """Let a worker join the master."""
        joined = []

        def start():
            environment = environment_of_its_own()
            environment.create_worker_runner("127.0.0.1", master.runner.server.port)
            Worker(environment)
            joined.append(environment)
            count = len([each for each in joined if each.runner is not None])
            with gevent.Timeout(PATIENCE_S):
                while master.runner.worker_count < count:
                    gevent.sleep(0.02)
            return environment

        yield start
        for environment in joined:
            if environment.runner is not None:
                leave(environment)

    @pytest.fixture
    def run(self, master, tmp_path):
        begun = []

        def start(target, profile, workers):
            begun.append(Run(master, target, profile, tmp_path / "run", workers))
            return begun[-1]

        yield start
        for run in begun:
            run.end()

    def test_two_workers_share_the_load(self, exchange, target_file, join, run):
        join()
        join()
        with standstills() as stood_s:
            started = run(target_file(exchange), two_levels(2, 4, plateau_s=3), workers=2)
            record = started.to_its_end()
        last = record.steps[-1]

        assert "finished" == end_of(record)[0]
        assert (None, 4, 2) == (last.void, last.load.connections, last.generator.workers)
        assert pytest.approx(80, rel=0.15) == last.load.deliveries_per_s
        if max(stood_s) > STOOD_STILL_S:  # Polls that were due meanwhile are made up for.
            pytest.skip(f"this process stood still for {max(stood_s):.1f} s")
        assert pytest.approx(8, rel=0.3) == last.load.requests_per_s

    def test_a_worker_that_leaves_voids_its_step_and_the_rest_goes_on(
        self, exchange, target_file, join, run
    ):
        leaver, _stayer = join(), join()
        # Long enough that a busy machine does not void a step for a worker that heard late of it.
        started = run(target_file(exchange, rest=None), two_levels(2, 4, plateau_s=3), 2)
        started.until(at_plateau(0))
        leave(leaver)
        record = started.to_its_end()

        assert "finished" == end_of(record)[0]
        assert ["a worker was lost", None, None] == [step.void for step in record.steps]
        assert ["worker_lost"] == [e.kind for e in record.events if e.kind.startswith("worker")]
        assert (4, 1) == (record.steps[2].load.connections, record.steps[2].generator.workers)

    def test_a_worker_that_joins_voids_its_step_and_takes_part_from_then_on(
        self, exchange, target_file, join, run
    ):
        join()
        # As many users in both steps: those that move to the newcomer must not wait for more.
        profile = two_levels(3, 4, connections_per_user=2, plateau_s=3)
        started = run(target_file(exchange, rest=None), profile, 1)
        started.until(at_plateau(0))
        join()
        record = started.to_its_end()

        assert "finished" == end_of(record)[0]
        assert ["a worker joined", None, None] == [step.void for step in record.steps]
        assert ["worker_joined"] == [e.kind for e in record.events if e.kind.startswith("worker")]
        assert (4, 2) == (record.steps[2].load.connections, record.steps[2].generator.workers)

    def test_the_loss_of_the_last_worker_ends_the_run(self, exchange, target_file, join, run):
        worker = join()
        started = run(target_file(exchange, rest=None), two_levels(2, 4), 1)
        started.until(at_plateau(0))
        leave(worker)
        kind, detail = end_of(started.to_its_end())

        assert ("aborted", 5) == (kind, detail["exit_code"])
        assert "the last worker was lost" in detail["reason"]


@contextmanager
def standstills():
    """Yield a list of how late each of many short sleeps was meanwhile, in seconds."""
    late_s = [0.0]

    def sleep_for_ever():
        while True:
            due_s = time.monotonic() + BLINK_S
            gevent.sleep(BLINK_S)
            late_s.append(time.monotonic() - due_s)

    sleeper = gevent.spawn(sleep_for_ever)
    try:
        yield late_s
    finally:
        sleeper.kill()


def leave(environment):
    """Quit as a worker process does: say so, then close everything it holds."""
    environment.events.quitting.fire(environment=environment, reverse=True)
    environment.runner.quit()
    environment.runner = None
