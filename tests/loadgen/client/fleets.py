"""The clients of one worker."""

import runpy
from pathlib import Path

import pytest

from capacity.loadgen.client.clients import Clients
from capacity.loadgen.protocol.instructions import RunInstructions

SMALL = runpy.run_path(str(Path(__file__).parents[1] / "small_target.py"))
wait_until, orders_for, stage_of = SMALL["wait_until"], SMALL["orders_for"], SMALL["stage_of"]


@pytest.fixture
def clients_of(target):
    """Return the clients of such orders."""
    made = []

    def clients_with(**orders):
        made.append(Clients(RunInstructions(**orders_for(target.port, **orders))))
        return made[-1]

    yield clients_with
    for clients in made:
        clients.close()


def open_slots(clients, count):
    slots = clients.join(count, lambda: None)
    for slot in slots:
        slot.open()
    wait_until(lambda: len(clients.counters.handshake_time) == count)
    return slots
