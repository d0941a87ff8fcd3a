"""A locustfile beside the product's own: which connections received something during the plateau.

Each worker writes what it saw into the folder that CAPACITY_WITNESS names.
"""

import json
import os
from pathlib import Path

from capacity.loadgen.client.clients import Clients
from capacity.loadgen.client.slots.connection_slot import ConnectionSlot

FOLDER = Path(os.environ["CAPACITY_WITNESS"])
_on_messages, _turn_to, _close = ConnectionSlot.on_messages, Clients.turn_to, Clients.close
heard: set[int] = set()


def open_slots(clients):
    return {slot.index for slot in clients.slots.values() if slot.is_open}


def on_messages(slot, connection, payloads):
    counters = slot._clients.counters
    before = counters.deliveries
    _on_messages(slot, connection, payloads)
    if counters.deliveries > before:
        heard.add(slot.index)


def write_down(clients):
    if clients.stage.phase == "plateau":
        is_open = open_slots(clients)
        seen = {"open_at_end": len(is_open), "silent": len(is_open - heard)}
        (FOLDER / f"{os.getpid()}.json").write_text(json.dumps(seen), encoding="utf-8")


def turn_to(clients, stage):
    write_down(clients)
    _turn_to(clients, stage)
    heard.clear()


def close(clients):
    write_down(clients)
    _close(clients)


ConnectionSlot.on_messages, Clients.turn_to, Clients.close = on_messages, turn_to, close
