"""What reading an update costs in each dialect that ships, beside json-push, without sockets.

`make dialects` prints the table and writes reports/benchmarks/dialect_reading.json. Unpacking, parsing, matching,
time, number and counting, as a connection does it; the least processor time of ROUNDS, which what else the
machine does only adds to. What a dialect adds to a received update is to be laid beside all that one costs
(receive_path.py): cost.py does it through sockets, on an idle machine.
"""

import locust  # noqa: F401 - must patch before anything else is imported

import json
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table
from update_frames import BEFORE, MS, NUMBER, RFC3339, UPDATES, US, Update

from capacity.loadgen.client.slots.noting import note
from capacity.loadgen.protocol.counters import Counters
from capacity.settings.dialect import dump, load_dialect, parse
from capacity.settings.locate import find
from capacity.workload.conversation import Conversation
from capacity.workload.dialects.address import channel_name
from capacity.workload.dialects.compiled import compile_dialect

OUTPUT = Path("reports/benchmarks/dialect_reading.json")
BASE = "json-push"
MESSAGES, ROUNDS = 4000, 9
CONVERSATIONS = 10
"""They follow the same one after the other: a dialect may check some of them only."""
UNASKED = {"opening": [], "subscribe": None, "unsubscribe": None, "heartbeat": []}
AT_US, FIRST = 1_795_803_227_860_000, 1_000_000_001


def main() -> None:
    least = {name: min(reading_us(name) for _ in range(ROUNDS)) for name in UPDATES}
    table = Table("dialect", "µs an update", "beyond json-push")
    for name, cost_us in sorted(least.items(), key=lambda one: one[1]):
        table.add_row(name, f"{cost_us:.2f}", f"{cost_us - least[BASE]:.2f}")
    Console(width=100).print(table)
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    OUTPUT.write_text(json.dumps(least, indent=2) + "\n", "utf-8")


def filled(update: Update) -> list[bytes]:
    """Return the frames that native/pusher.c would send."""
    frame = update.frame()
    frames = []
    for n in range(MESSAGES):
        values = {
            US: f"{AT_US + n:016}",
            MS: f"{(AT_US + n) // 1000:013}",
            NUMBER: f"{FIRST + n:010}",
            BEFORE: f"{FIRST + n - 1:010}",
            RFC3339: "2026-11-27T17:43:09.123456Z",
        }
        text = frame
        for slot, value in values.items():
            text = text.replace(slot.encode(), value.encode())
        frames.append(text)
    return frames


def reading_us(name: str) -> float:
    """Return processor time for an update. Raises AssertionError where one was not understood."""
    update = UPDATES[name]
    shipped = dump(load_dialect(find("dialects", update.dialect or name)))
    dialect = parse(shipped | UNASKED | dict(update.changes))
    compiled = compile_dialect(dialect)
    wires = (channel_name(dialect, update.channel, update.symbol),)
    counters, frames = Counters(), filled(update)
    talks = [Conversation(compiled, wires) for _ in range(CONVERSATIONS)]
    for conversation in talks:
        conversation.start()
    each = MESSAGES // CONVERSATIONS
    began_s = time.process_time()
    for n, conversation in enumerate(talks):
        _hear(conversation, frames[n * each : (n + 1) * each], counters)
    took_s = time.process_time() - began_s
    assert (counters.deliveries, counters.gaps, counters.unmatched) == (MESSAGES, 0, 0), name
    return took_s / MESSAGES * 1e6


def _hear(conversation: Conversation, payloads: list[bytes], counters: Counters) -> None:
    for payload in payloads:
        for message in conversation.messages((payload,)):
            if conversation.glance(message) is None:
                for reception in conversation.receive_all(message):
                    note(counters, reception)
            else:
                counters.deliveries += 1


if __name__ == "__main__":
    main()
