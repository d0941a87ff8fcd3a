"""Locust's load shape asks, the session begins runs and ends them: in one process, really."""

from locust.env import Environment
from locust.event import Events

from argparse import Namespace
from pathlib import Path
from types import SimpleNamespace

import gevent
import pytest
import yaml

from capacity.domain.errors import LockedError
from capacity.loadgen.client.subscriber import Subscriber
from capacity.loadgen.client.worker import Worker
from capacity.loadgen.master import recorder
from capacity.loadgen.master.session import Session
from capacity.recording.ending import read_ending
from capacity.recording.lock import locked
from capacity.recording.lock_place import place_of_locks
from capacity.recording.run_directory import load

PATIENCE_S = 60


@pytest.fixture
def environment(exchange, target_file, tmp_path, monkeypatch):
    """Locust without workers, with the options of a tiny run, in a directory of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(recorder, "FETCH_INTERVAL_S", 0.1)
    target = target_file(exchange, rest=None).model_dump(mode="json")
    profile = {
        "profile": 1,
        "name": "tiny",
        "kind": "break",
        "start": 1,
        "growth": 2,
        "limit": 2,
        "plateau_s": 1,
        "settle_s": 0,
        "mix": {"requests_per_s_per_connection": 0},
    }
    Path("target.yaml").write_text(yaml.safe_dump(target))
    Path("profile.yaml").write_text(yaml.safe_dump(profile))
    options = Namespace(
        capacity_target="target.yaml",
        capacity_profile="profile.yaml",
        capacity_run="",
        capacity_resume="",
    )

    class Follower(Subscriber):
        weight = 1

    environment = Environment(user_classes=[Follower], events=Events(), parsed_options=options)
    runner = environment.create_local_runner()
    Worker(environment)
    yield environment
    runner.quit()


@pytest.fixture
def session(environment):
    return Session(environment)


def offer(environment, session, until=lambda: False):
    """Do as Locust's shape worker does, until the session has nothing more to run."""
    offered = None
    with gevent.Timeout(PATIENCE_S):
        while (due := session.tick()) is not None and not until():
            if due != offered:
                environment.runner.start(*due)
                offered = due
            gevent.sleep(0.05)
    if due is None:
        environment.runner.stop()


def test_a_run_has_the_lock_of_its_target_until_its_load_is_off(environment, session, exchange):
    def is_busy():
        try:
            with locked(place_of_locks(), f"localhost:{exchange.port}", run="another"):
                return False
        except LockedError:
            return True

    busy = []
    offer(environment, session, until=lambda: not busy and busy.append(is_busy()))

    assert busy == [True]
    assert not is_busy()


def test_a_target_that_another_run_loads_is_refused_and_free_afterwards(
    environment, session, exchange
):
    with locked(place_of_locks(), f"localhost:{exchange.port}", run="nightly"):
        assert session.tick() is None
    assert "is busy: run nightly by pid" in session.problem
    assert environment.process_exit_code == LockedError.exit_code

    offer(environment, session)
    assert session.problem is None


def test_runs_follow_one_another_each_with_a_record_of_its_own(environment, session, exchange):
    offer(environment, session)
    first = session.controller
    record = load(first.recorder.path)
    session.tick()
    session.on_quitting()
    second, after = load(session.controller.recorder.path), load(first.recorder.path)

    assert f"http://{exchange.host}:{exchange.port}" == environment.host
    assert () == record.missing
    assert [1, 2] == [step.load.connections for step in record.steps]
    assert Path("reports/runs") == first.recorder.path.parent
    assert record.manifest.run != second.manifest.run
    assert (record.events, record.points) == (after.events, after.points)
    assert (True, 0) == (first.is_over, first.exit_code)


def test_the_directory_of_a_run_can_be_named(environment, session):
    environment.parsed_options.capacity_run = "here/it"
    session.tick()
    session.on_quitting()

    assert "it" == load(Path("here/it")).manifest.run


@pytest.mark.parametrize(
    ("option", "value", "exit_code", "said"),
    [
        ("capacity_target", "no-such-target", 2, "no-such-target"),
        ("capacity_profile", "absent.yaml", 2, "absent.yaml"),
        ("capacity_target", "closed.yaml", 4, "no WebSocket there"),
    ],
    ids=["no such name", "no such file", "nobody listens"],
)
def test_a_run_that_cannot_begin_is_not_begun_and_locust_ends_with_its_code(
    environment, session, caplog, option, value, exit_code, said
):
    settings = yaml.safe_load(Path("target.yaml").read_text())
    Path("closed.yaml").write_text(yaml.safe_dump({**settings, "port": 1}))
    setattr(environment.parsed_options, option, value)
    due = session.tick()
    session.on_quitting()

    assert (None, None) == (due, session.controller)
    assert said in session.problem
    assert [session.problem] == [record.getMessage() for record in caplog.records]
    assert exit_code == environment.process_exit_code
    assert not Path("reports").exists()


def test_a_named_run_that_cannot_begin_leaves_the_reason_where_it_was_to_be(environment, session):
    environment.parsed_options.capacity_run = "here/it"
    environment.parsed_options.capacity_target = "no-such-target"
    session.tick()
    ending = read_ending(Path("here/it"))

    assert (ending.error, ending.exit_code) == ("ConfigError", 2)
    assert ending.reason == session.problem


def test_a_run_can_begin_after_one_that_could_not(environment, session):
    environment.parsed_options.capacity_target = "no-such-target"
    session.tick()
    environment.parsed_options.capacity_target = "target.yaml"
    due = session.tick()
    session.on_quitting()

    assert (1, None) == (due[0], session.problem)


def test_locust_that_quits_before_the_end_closes_the_record(environment, session):
    offer(environment, session, until=lambda: session.controller.position.phase == "plateau")
    session.on_quitting()
    record = load(session.controller.recorder.path)

    assert 130 == environment.process_exit_code
    assert "aborted" == record.events[-1].kind
    assert "stopped before the end of its profile" in record.events[-1].detail["reason"]


def test_the_stop_button_ends_the_run_and_the_next_start_begins_another(environment, session):
    offer(environment, session, until=lambda: session.controller.position.phase == "plateau")
    stopped = session.controller
    environment.runner.stop()
    due = session.tick()
    session.on_quitting()

    assert (True, 130) == (stopped.is_over, stopped.exit_code)
    assert session.controller is not stopped
    assert 1 == due[0]


def test_a_record_that_takes_not_even_its_first_event_ends_the_run(environment, session, tmp_path):
    (tmp_path / "full" / "events.jsonl").mkdir(parents=True)
    environment.parsed_options.capacity_run = "full"
    offer(environment, session)

    assert session.controller.is_over
    assert 5 == session.controller.exit_code


def test_a_step_that_is_under_way_is_the_last_one_where_that_is_asked_for(session):
    session.controller = SimpleNamespace(stops_after_step=False)
    session.stop_after_step()
    asked = session.controller.stops_after_step
    session.controller = None
    session.stop_after_step()

    assert asked is True
