"""60,000 connections to one port: more than one process and one source address can hold.

Four exchange processes, four workers, six source addresses, on this machine; every connection gets
one update in ten seconds. `make bench` prints the table and writes
reports/benchmarks/sixty_thousand.json. Takes about six minutes on two cores.
"""

import json
import os
import sys
import tempfile
import threading
import time
from contextlib import ExitStack, suppress
from pathlib import Path

import requests
import yaml
from rich.console import Console
from rich.table import Table

from capacity.cli.measure import measure
from capacity.cli.running import locust_command
from capacity.cli.running.bundled import start_bundled_target
from capacity.domain.errors import CapacityError
from capacity.exchange.market.instruments import listed_instruments
from capacity.recording.run_directory import load

CONNECTIONS = int(sys.argv[1]) if len(sys.argv) > 1 else 60_000
CONNECTS_PER_S = 300
EXCHANGE_PROCESSES = WORKERS = 4
DESCRIPTORS = 20_000
INSTRUMENTS = 200
UPDATES_PER_S = 0.1
SOURCES = "127.0.1.0/29"
OUTPUT = Path("reports/benchmarks/sixty_thousand.json")
WITNESS = Path(__file__).parent / "clients" / "witness.py"
PROFILE = {
    "profile": 1,
    "name": "sixty-thousand",
    "kind": "ramp",
    "levels": [CONNECTIONS],
    "connects_per_s": CONNECTS_PER_S,
    "settle_s": 10,
    "plateau_s": 60,
    "ramp_timeout_s": 60 + 2 * CONNECTIONS / CONNECTS_PER_S,
    "connections_per_user": 100,
    "mix": {"subscriptions_per_connection": 1, "requests_per_s_per_connection": 0.0},
}


class StatusWatch:
    """Asks the exchange every second how many connections it has open."""

    def __init__(self, port):
        self.open_at = []
        self._url = f"http://127.0.0.1:{port}/status"
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_error):
        self._is_over.set()
        self._thread.join()

    def _watch(self):
        while not self._is_over.wait(1.0):
            with suppress(requests.RequestException):
                status = requests.get(self._url, timeout=5).json()
                self.open_at.append((time.time(), status["open_connections"]))


def main():
    with tempfile.TemporaryDirectory() as directory, ExitStack() as stack:
        folder = Path(directory)
        target = start_bundled_target(
            stack,
            folder,
            [
                *("--processes", str(EXCHANGE_PROCESSES), "--descriptor-limit", str(DESCRIPTORS)),
                *("--instruments", str(INSTRUMENTS), "--updates-per-s", str(UPDATES_PER_S)),
            ],
            {
                "channels": ["book"],  # Numbered: a missing update shows.
                "symbols": [instrument.name for instrument in listed_instruments(INSTRUMENTS)],
                "rest": None,
                "source_addresses": [SOURCES],
            },
        )
        profile = folder / "profile.yaml"
        profile.write_text(yaml.safe_dump(PROFILE), encoding="utf-8")
        seen = folder / "seen"
        seen.mkdir()
        os.environ["CAPACITY_WITNESS"] = str(seen)
        loaded = f"{locust_command.locustfiles()},{WITNESS}"
        locust_command.locustfiles = lambda: loaded
        run = folder / "run"
        with StatusWatch(yaml.safe_load(target.read_text())["port"]) as watch:
            try:
                measure(target, profile, workers=WORKERS, run=run)
            except CapacityError as error:
                print(error, file=sys.stderr)
        witnesses = [json.loads(path.read_text()) for path in seen.iterdir()]
        figures = figures_of(load(run), watch.open_at, witnesses)
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    OUTPUT.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    table = Table("what", "measured", title=f"{CONNECTIONS:,} connections, {WORKERS} workers")
    for name, value in figures.items():
        table.add_row(name, f"{value:,.4g}" if isinstance(value, float) else str(value))
    Console().print(table)


def figures_of(record, status_at, witnesses):
    """Return the figures of the plateau; of the ramp alone when the plateau was not reached."""
    step = record.steps[-1]
    ramp = {
        "asked": step.step.connections,
        "connections_peak": step.connections_peak,
        "connects": step.connects,
        "lost": step.lost,
        "failures": dict(step.failures),
        "void": step.void,
    }
    begin, end = step.plateau_started_at, step.plateau_ended_at
    if begin is None or end is None:
        return ramp
    plateau = [sample for sample in record.samples if begin <= sample.at <= end]

    def highest(resource):
        return max(sample.used.get(resource, 0) for sample in plateau)

    census = [
        int(sample.used["application_connections"])
        for sample in plateau
        if "application_connections" in sample.used
    ]
    status = [count for at, count in status_at if begin <= at <= end]
    return ramp | {
        "ramp_s": begin - step.started_at,
        "held_at_end": sum(seen["open_at_end"] for seen in witnesses),
        "without_an_update_in_the_hold": sum(seen["silent"] for seen in witnesses),
        "updates_lost": step.gaps,
        "unmatched_frames": step.unmatched,
        "targets_count": [min(status), max(status)] if status else None,
        "targets_count_readings": len(status),
        "agents_census": [min(census), max(census)] if census else None,
        "deliveries_per_s": step.load.deliveries_per_s if step.load else None,
        "delivery_delay_p50_ms": step.delivery_delay.p50_s * 1000 if step.delivery_delay else None,
        "delivery_delay_p99_ms": step.delivery_delay.p99_s * 1000 if step.delivery_delay else None,
        "generator_lag_p95_ms": step.generator.lag_p95_s * 1000 if step.generator else None,
        "generator_cpu_cores_busiest": step.generator.cpu_ratio if step.generator else None,
        "fullest_process_descriptors": highest("descriptors"),
        "target_cpu_cores": highest("cpu"),
        "target_memory_bytes": highest("memory"),
        "host_memory_bytes": highest("host_memory"),
    }


if __name__ == "__main__":
    main()
