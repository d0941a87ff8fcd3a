"""Feeds of the field on loopback, and what the product makes of them by its own public ways."""

import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import gevent
import pytest
import yaml

from capacity.domain.errors import CapacityError
from capacity.loadgen.checks import trial
from capacity.loadgen.checks.attempts import failure
from capacity.loadgen.checks.request_trial import try_request
from capacity.loadgen.checks.trial import try_conversation
from capacity.loadgen.client.clients import Clients
from capacity.loadgen.protocol.instructions import RunInstructions, Stage
from capacity.loadgen.wire.handshake import HandshakeError
from capacity.planning.safety.heard_updates import heard_findings
from capacity.settings import dialect as dialect_settings
from capacity.settings.target import load_target

SERVER = Path(__file__).with_name("feed_server.py")
PATIENCE_S = 60.0
TRIAL_S = 1.5
"""How long a trial waits for what never comes; these feeds send many updates a second."""
BASE = {
    "dialect": 1,
    "name": "field",
    "ws": {"url": "{scheme}://{host}:{port}/ws"},
    "http": {"base": "{scheme}://{host}:{port}"},
    "channels": {"feed": {"wire": "{symbol}"}},
    "data": {"where": {"seq": {"exists": True}}},
    "time": {"path": "ts", "unit": "ms"},
    "sequence": [{"rule": "plus_one", "seq": "seq", "scope": "connection"}],
    "rest": {"snapshot": {"path": "/snapshot"}, "token": {"path": "/token", "method": "POST"}},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """One feed, and the files by which it is spoken to."""

    target: Path

    def loaded(self):
        target = load_target(self.target)
        return target, dialect_settings.load_dialect(Path(target.dialect))

    def findings(self, subscriptions=1, listen_s=1.0):
        """Return what doctor finds of the connection and of what came over it."""
        target, dialect = self.loaded()
        try:
            tried = try_conversation(
                target, dialect, subscriptions=subscriptions, listen_s=listen_s
            )
        except CapacityError as error:
            return [failure("handshake and subscription", error)]
        return list(heard_findings(tried.heard))

    def request(self):
        """Return what doctor finds of the REST request; None where all is well."""
        try:
            try_request(*self.loaded())
        except CapacityError as error:
            return failure("REST request", error)
        return None

    def load(self, until, connections=2, subscriptions=1, hold_s=0.0, pause_s=0.0, **stage):
        """Hold *connections* until *until* says of the counters that it is enough; return them.

        A plateau of *hold_s* follows, if that is given.
        """
        target, dialect = self.loaded()
        orders = RunInstructions(
            target=target.model_dump(mode="json"),
            dialect=dialect_settings.dump(dialect),
            subscriptions_by_address=subscriptions,
        )
        clients = Clients(orders)
        clients.turn_to(
            Stage(
                index=0,
                phase="plateau",
                subscriptions_per_connection=subscriptions,
                requests_per_s=0.0,
                connects_per_s=100.0,
                **stage,
            )
        )
        try:
            for slot in clients.join(connections, lambda **_: None):
                try:
                    slot.open()
                except HandshakeError as error:
                    clients.counters.fail(str(error))
                gevent.sleep(pause_s)
            with gevent.Timeout(PATIENCE_S):
                while not until(clients.counters):
                    gevent.sleep(0.01)
                if hold_s:
                    clients.turn_to(replace(clients.stage, hold_s=hold_s))
                    gevent.sleep(hold_s)
                    clients.sum_up()
            return clients.counters
        finally:
            clients.close()


@pytest.fixture
def feed(tmp_path, monkeypatch):
    """Start a feed of that behaviour; returns it with a dialect changed as told."""
    monkeypatch.setattr(trial, "TRIAL_S", TRIAL_S)
    with ExitStack() as stack:

        def start(behaviour, *arguments, target=None, symbols=("A",), **changes):
            process = stack.enter_context(
                subprocess.Popen(
                    [sys.executable, str(SERVER), behaviour, *map(str, arguments)],
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            stack.callback(process.kill)
            settings = {
                "target": 1,
                "name": "field",
                "host": "127.0.0.1",
                "port": int(process.stdout.readline()),
                "dialect": "dialect.yaml",
                "symbols": list(symbols),
                "channels": ["feed"],
                **(target or {}),
            }
            described = {**BASE, **changes}
            described = {key: value for key, value in described.items() if value is not None}
            for name, content in (("target", settings), ("dialect", described)):
                (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(content), "utf-8")
            return Feed(target=tmp_path / "target.yaml")

        yield start
