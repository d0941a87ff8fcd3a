"""A run that is opened against the real exchange, and one that cannot be."""

from locust.env import Environment
from locust.event import Events

from contextlib import ExitStack

import pytest

from capacity.domain.errors import UnreachableError
from capacity.loadgen.client.subscriber import Subscriber
from capacity.loadgen.client.worker import Worker
from capacity.loadgen.master.open_run import AskedRun, OpenRun
from capacity.recording.run_directory import is_run
from capacity.settings.profile import ADAPTER


@pytest.fixture
def opened(tmp_path):
    with ExitStack() as stack:

        def start(target, **profile):
            environment = Environment(
                user_classes=[type("Followers", (Subscriber,), {"weight": 1})], events=Events()
            )
            runner = environment.create_local_runner()
            stack.callback(runner.quit)
            Worker(environment)
            settings = {"profile": 1, "name": "tiny", "kind": "ramp", **profile}
            asked = AskedRun(
                target=target,
                profile=ADAPTER.validate_python(settings),
                path=tmp_path / "run",
                workers=1,
            )
            run = OpenRun(environment, asked)
            stack.callback(run.recorder.close, "aborted", {})
            return run

        yield start


def test_a_run_that_is_open_stands_before_its_first_step(exchange, target_file, opened, tmp_path):
    run = opened(target_file(exchange), levels=[2, 4])

    assert is_run(tmp_path / "run")
    assert (0, 0, 3) == (run.position.index, run.open_connections, run.total_steps)
    assert (run.steps[0], []) == (run.step, run.observations)


def test_of_a_climb_nobody_knows_how_many_steps_there_will_be(exchange, target_file, opened):
    run = opened(target_file(exchange), kind="safe", connections=100)

    assert run.total_steps is None


def test_what_cannot_be_leaves_no_record(exchange, target_file, opened, tmp_path):
    with pytest.raises(UnreachableError):
        opened(target_file(exchange, port=1), levels=[2])

    assert not is_run(tmp_path / "run")
