"""Whole tiny runs in this process."""

from locust.env import Environment
from locust.event import Events

import resource
from contextlib import ExitStack, contextmanager

import gevent
import pytest

from capacity.loadgen.client.poller import Poller
from capacity.loadgen.client.subscriber import Subscriber
from capacity.loadgen.client.worker import Worker
from capacity.loadgen.master import recorder
from capacity.loadgen.master.controller import Controller
from capacity.loadgen.master.open_run import AskedRun
from capacity.loadgen.protocol import messages
from capacity.recording.run_directory import load
from capacity.settings.profile import ADAPTER

PATIENCE_S = 90


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


def end_of(record):
    (end,) = [event for event in record.events if event.kind in {"finished", "aborted"}]
    return end.kind, end.detail


def at_plateau(index):
    return lambda controller: (
        (controller.position.index, controller.position.phase) == (index, "plateau")
        and controller.open_connections >= controller.steps[index].connections
    )
