"""One slot of a run against a small target."""

import runpy
from pathlib import Path

import pytest

from capacity.loadgen.client.clients import Clients
from capacity.loadgen.protocol.instructions import RunInstructions, Stage

SMALL = runpy.run_path(str(Path(__file__).parents[2] / "small_target.py"))
wait_until, stage_of = SMALL["wait_until"], SMALL["stage_of"]


@pytest.fixture
def clients(target):
    clients = Clients(RunInstructions(**SMALL["orders_for"](target.port)))
    clients.turn_to(Stage(**stage_of(subscriptions=2)))
    yield clients
    clients.close()


@pytest.fixture
def losses():
    return []


@pytest.fixture
def slot(clients, losses):
    (slot,) = clients.join(1, lambda: losses.append("lost"))
    return slot


@pytest.fixture
def client(slot, target, clients):
    """Open the slot; return the target's end of it once the subscription is confirmed."""
    slot.open()
    wait_until(lambda: clients.counters.handshake_time)
    return target.clients[0]
