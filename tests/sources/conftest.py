"""Real programs to take samples from, each ended with the test or the session that asked for it."""

import runpy
from contextlib import ExitStack
from pathlib import Path

import pytest

running = runpy.run_path(str(Path(__file__).parents[1] / "running_programs.py"))["running"]
wsgi_servers = runpy.run_path(str(Path(__file__).parents[1] / "wsgi_servers.py"))["wsgi_servers"]


@pytest.fixture(scope="module")
def exchange():
    """The bundled exchange, which nobody loads."""
    with running("-m", "capacity.cli.main", "exchange", "--port", "0") as server:
        yield server


@pytest.fixture(scope="module")
def agent(exchange):
    """An agent that watches the exchange and samples ten times a second."""
    arguments = ("--listen", "0", "--interval", "0.1", "--pid", exchange.pid)
    with running("-m", "capacity.monitor", *arguments) as server:
        yield server


@pytest.fixture
def start_agent():
    """Start an agent of the test's own, with options."""
    with ExitStack() as stack:
        common = ("-m", "capacity.monitor", "--listen", "0", "--interval", "0.1")
        yield lambda *options: stack.enter_context(running(*common, *options))


@pytest.fixture
def serve():
    """Serve a WSGI application on loopback within this process; returns its URL."""
    with wsgi_servers() as start:
        yield start


@pytest.fixture
def answering(serve):
    """Return the URL of a server that gives one answer to everything."""

    def start(body=b"", status="200 OK", headers=()):
        def answer(_environ, start_response):
            start_response(status, list(headers))
            return [body]

        return serve(answer)

    return start
