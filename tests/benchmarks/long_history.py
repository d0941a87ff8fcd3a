"""How long a history of 10,000 runs takes to list, with costs of seven resources in each row."""

import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from capacity.recording import history
from capacity.recording.history_database import connected, database_of
from capacity.recording.history_row import HistoryRow, Outcome
from capacity.recording.history_tables import RUNS

COUNT, TIMES, DAY_S = 10_000, 5, 86_400.0
RESOURCES = ("memory", "descriptors", "tcp_memory", "event_loop", "cpu", "conntrack", "epoll")
ESTIMATE = {"low": 1.0, "mid": 2.0, "high": 3.0, "confidence": 0.9}
COSTS = {
    name: {"unit": "bytes", "limit": 1e9, "limit_source": "/proc/1/limits", "ceiling": 1e4}
    | {f"per_{kind}": ESTIMATE for kind in ("connection", "delivery_per_s", "request_per_s")}
    for name in RESOURCES
}


def row(index):
    started_at = 1e9 + index * DAY_S
    kept = HistoryRow(
        run=f"nightly-{index:05}", job="nightly", target="demo", profile="safe",
        planned_at=started_at, started_at=started_at, finished_at=started_at + 100.0,
        outcome=Outcome.PLAN, capacity_low_connections=980.0, capacity_mid_connections=1000.0,
        capacity_high_connections=1020.0, safe_capacity_connections=980, binding="descriptors",
        extrapolation_ratio=4.0, fingerprint="00ff", unit_costs=COSTS,
    )  # fmt: skip
    return asdict(kept) | {"outcome": kept.outcome.value}


def main():
    program = Path(sys.executable).with_name("capacity")
    with tempfile.TemporaryDirectory() as folder:
        url = f"{folder}/history.sqlite"
        history.prepare(url)
        with connected(database_of(url)) as connection, connection.begin():
            connection.execute(RUNS.insert(), [row(index) for index in range(COUNT)])
        took_s, before = [], resource.getrusage(resource.RUSAGE_CHILDREN)
        for _ in range(TIMES):
            began_s = time.monotonic()
            subprocess.run(
                [program, "history", "list", "--history", url],
                stdout=subprocess.DEVNULL,
                check=True,
            )
            took_s.append(time.monotonic() - began_s)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = (after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime) / TIMES
    print(
        f"{COUNT} runs, the latest 30 listed in {min(took_s):.2f} to {max(took_s):.2f} s;"
        f" {cpu_s:.2f} s of CPU each"
    )


if __name__ == "__main__":
    main()
