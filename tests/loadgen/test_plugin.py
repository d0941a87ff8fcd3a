"""Our listeners on Locust's events, on a set of events of the test's own."""

from locust.argument_parser import get_empty_argument_parser, setup_parser_arguments
from locust.env import Environment
from locust.event import Events

import signal
import subprocess
import sys

import pytest

from capacity.domain.errors import ProtocolError
from capacity.loadgen import plugin
from capacity.loadgen.client.worker import clients_of
from capacity.loadgen.master.session import Session


@pytest.fixture
def events(monkeypatch):
    events = Events()
    monkeypatch.setattr(plugin, "events", events)
    monkeypatch.setattr(plugin, "_installed", [])
    return events


@pytest.fixture
def environment(events):
    parser = get_empty_argument_parser()
    setup_parser_arguments(parser)
    plugin.install()
    events.init_command_line_parser.fire(parser=parser)
    environment = Environment(events=events, parsed_options=parser.parse_args([]))
    yield environment
    environment.runner.quit()


def test_every_locustfile_may_install(events):
    for _ in range(3):
        plugin.install()

    assert [1, 1, 1] == [
        len(hook._handlers)
        for hook in (events.init_command_line_parser, events.init, events.quitting)
    ]


def test_locust_without_workers_directs_runs_and_works_in_them(environment):
    runner = environment.create_local_runner()
    environment.events.init.fire(environment=environment, runner=runner, web_ui=None)

    assert isinstance(plugin.session_of(environment), Session)
    assert {"capacity_begin", "capacity_counts"} <= runner.custom_messages.keys()
    assert "demo" == environment.parsed_options.capacity_target


def test_a_master_directs_and_its_worker_works(environment):
    master = environment.create_master_runner("127.0.0.1", 0)
    environment.events.init.fire(environment=environment, runner=master, web_ui=None)
    other = Environment(events=Events(), parsed_options=environment.parsed_options)
    worker = other.create_worker_runner("127.0.0.1", master.server.port)
    environment.events.init.fire(environment=other, runner=worker, web_ui=None)
    messages = (set(runner.custom_messages) for runner in (master, worker))
    worker.quit()

    assert [
        {"capacity_counts"},
        {"capacity_check_in", "capacity_begin", "capacity_stage", "capacity_end"},
    ] == [{name for name in names if name.startswith("capacity")} for names in messages]
    assert isinstance(plugin.session_of(environment), Session)
    with pytest.raises(KeyError):
        plugin.session_of(other)
    with pytest.raises(ProtocolError):
        clients_of(environment)


def test_the_web_ui_gets_our_pages(environment, monkeypatch):
    monkeypatch.setattr("sys.argv", ["locust"])  # Locust's page shows the options it parses anew.
    runner = environment.create_local_runner()
    environment.web_ui = environment.create_web_ui("127.0.0.1", 0, delayed_start=True)
    environment.events.init.fire(environment=environment, runner=runner, web_ui=environment.web_ui)
    paths = {str(rule) for rule in environment.web_ui.app.url_map.iter_rules()}

    assert any(path.startswith("/capacity") for path in paths)


def test_quitting_without_a_run_leaves_locusts_exit_code_alone(environment):
    runner = environment.create_local_runner()
    environment.events.init.fire(environment=environment, runner=runner, web_ui=None)
    environment.events.quitting.fire(environment=environment, reverse=True)

    assert environment.process_exit_code is None


FORK = """
import ctypes, os
from capacity.loadgen import plugin
import gevent.monkey
plugin.install()
pid = gevent.fork()  # As Locust does.
if pid:
    # gevent's waits for a signal, which may have come before it looks.
    gevent.monkey.get_original("os", "waitpid")(pid, 0)
else:
    asked = ctypes.c_int()
    ctypes.CDLL(None).prctl(2, ctypes.byref(asked))  # PR_GET_PDEATHSIG
    os.write(1, str(asked.value).encode())
    os._exit(0)
"""


@pytest.mark.parametrize(
    ("options", "asked"),
    [(["--processes", "2"], signal.SIGKILL), (["--processes=2"], signal.SIGKILL), ([], 0)],
)
def test_a_worker_ends_with_its_master_from_its_first_moment_on(options, asked):
    forked = subprocess.run(
        [sys.executable, "-c", FORK, *options],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )

    assert str(int(asked)) == forked.stdout
