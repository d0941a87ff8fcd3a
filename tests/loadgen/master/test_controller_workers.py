"""Runs of a master with workers in processes of their own."""

import runpy
import time
from contextlib import contextmanager
from pathlib import Path

import gevent
import pytest

from capacity.loadgen.client.worker import Worker

LOCAL_RUNS = runpy.run_path(str(Path(__file__).with_name("local_runs.py")))
PATIENCE_S = LOCAL_RUNS["PATIENCE_S"]
_quick_and_with_limits_as_before = LOCAL_RUNS["_quick_and_with_limits_as_before"]
profile = LOCAL_RUNS["profile"]
two_levels = LOCAL_RUNS["two_levels"]
environment_of_its_own = LOCAL_RUNS["environment_of_its_own"]
Run = LOCAL_RUNS["Run"]
end_of = LOCAL_RUNS["end_of"]
at_plateau = LOCAL_RUNS["at_plateau"]
BLINK_S, STOOD_STILL_S = 0.05, 0.3


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
