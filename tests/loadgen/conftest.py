"""Real servers to load and to ask, and records as the workers send them."""

import gc
import runpy
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace

import pytest

from capacity.loadgen.client import worker as worker_module
from capacity.settings.target import Target

EMPTY_REPORT = {
    "index": 0,
    "phase": "plateau",
    "seconds": 1.0,
    "deliveries": 0,
    "delivered_bytes": 0,
    "requests": 0,
    "not_modified": 0,
    "connects": 0,
    "lost": 0,
    "gaps": 0,
    "unmatched": 0,
    "untimed": 0,
    "unnumbered": 0,
    "unmatched_by": {},
    "failures": {},
    "examples": [],
    "said": [],
    "histograms": {},
    "is_final": False,
    "drill": None,
    "run": "",
    "number": 1,
    "clock_set_s": 0.0,
    "gauges": {
        "open_connections": 0,
        "opening": 0,
        "users": 0,
        "cpu_ratio": 0.1,
        "descriptors_ratio": 0.01,
        "pid": 1,
    },
}


@pytest.fixture
def report():
    return lambda **changes: {**EMPTY_REPORT, **changes}


@pytest.fixture(scope="session", autouse=True)
def _thousands_of_tests_are_no_workers_garbage():
    """Keep what was set aside when the tests were found: to look at it took half a second at each plateau."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            worker_module,
            "gc",
            SimpleNamespace(collect=gc.collect, freeze=gc.freeze, unfreeze=lambda: None),
        )
        yield


@pytest.fixture
def _as_in_a_process_of_its_own(monkeypatch):
    """Nothing is set aside but by the worker."""
    monkeypatch.setattr(worker_module, "gc", gc)
    gc.unfreeze()
    yield
    gc.freeze()


running = runpy.run_path(str(Path(__file__).parents[1] / "running_programs.py"))["running"]
wsgi_servers = runpy.run_path(str(Path(__file__).parents[1] / "wsgi_servers.py"))["wsgi_servers"]


def exchange_running(*options):
    return running("-m", "capacity.cli.main", "exchange", "--port", "0", *options)


def agent_running(*options):
    return running("-m", "capacity.monitor", "--listen", "0", "--interval", "0.1", *options)


# Not of the session: four processes with one each, to the end of all tests, took a tenth of the processors.
@pytest.fixture(scope="module")
def exchange():
    """The bundled exchange, for tests that leave it as they found it."""
    with exchange_running("--updates-per-s", "10") as server:
        yield server


@pytest.fixture(scope="module")
def agent(exchange):
    """An agent that watches the exchange and samples ten times a second."""
    with agent_running("--pid", exchange.pid) as server:
        yield server


@pytest.fixture
def start_exchange():
    """Start an exchange of the test's own, with options."""
    with ExitStack() as stack:
        yield lambda *options: stack.enter_context(exchange_running(*options))


@pytest.fixture
def start_agent():
    """Start an agent of the test's own, with options."""
    with ExitStack() as stack:
        yield lambda *options: stack.enter_context(agent_running(*options))


@pytest.fixture
def serve():
    """Serve a WSGI application on loopback within this process; returns its URL."""
    with wsgi_servers() as start:
        yield start


@pytest.fixture(scope="session")
def target_file():
    """Return the settings of a target that is an exchange, perhaps with an agent's URL."""

    def settings(server, agent_url=None, **changes):
        return Target.model_validate(
            {
                "target": 1,
                "name": "here",
                "host": server.host,
                "port": server.port,
                "dialect": "deribit",
                "symbols": ["BTC-PERPETUAL", "ETH-PERPETUAL"],
                "channels": ["ticker", "book"],
                "agent": {"url": agent_url} if agent_url else None,
                "rest": {"operation": "ticker"},
                **changes,
            }
        )

    return settings


@pytest.fixture(scope="module")
def okx_venue():
    """A venue with public and private connections (okx_venue.py)."""
    with running(Path(__file__).with_name("okx_venue.py")) as server:
        yield server


@pytest.fixture
def okx_target(okx_venue, tmp_path):
    """Return the settings of that venue with five accounts, perhaps with something wrong in them."""
    rows = tmp_path / "accounts.csv"
    rows.write_text("key,secret\n" + "".join(f"key-{n},of-{n}\n" for n in range(5)))
    rows.chmod(0o600)

    def settings(per_client=2, secret="secret", passphrase="open sesame", **changes):
        values = {
            "api_key": {"rows": str(rows), "column": "key"},
            "secret_key": {"rows": str(rows), "column": secret},
            "passphrase": passphrase,
        }
        private = {"dialect": "okx-private", "channels": ["orders", "account"], "values": values}
        return Target.model_validate(
            {"target": 1, "name": "venue", "host": okx_venue.host, "port": okx_venue.port}
            | {"dialect": "okx", "symbols": ["BTC-USDT"], "channels": ["trades"]}
            | {"private": private | {"connections_per_client": per_client}}
            | changes
        )

    return settings
