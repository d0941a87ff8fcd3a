"""A generator that gets two and a half times what it can take: does it say so, and stay in order?

`make bench` prints the table and writes reports/benchmarks/overload.json. A C server pushes to
15,000 connections of one worker, which has one core. Expected: timers of the worker still fire
within 1.3 s, no worker goes missing, memory stays flat, and the step is void with the reason.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import yaml
from receive_path import build, pinned, pushing
from rich.console import Console
from rich.table import Table

from capacity.domain.run import RunRecord
from capacity.loadgen.wire.process_limits import raise_descriptor_limit
from capacity.recording.run_directory import load

OUTPUT = Path("reports/benchmarks/overload.json")
CONNECTIONS = 15_000
MESSAGES_PER_S = 325_000
PLATEAU_S = 30.0
DIALECT = {
    "dialect": 1,
    "name": "pusher",
    "ws": {"url": "{scheme}://{host}:{port}/"},
    "channels": {"ticker": {"wire": "ticker.BTC-PERPETUAL.100ms"}},
    "data": {"where": {"method": "subscription"}, "key": "params.channel", "items": "params.data"},
    "time": {"path": "ts", "unit": "us"},
    "sequence": [{"rule": "plus_one", "seq": "seq"}],
}


def main() -> None:
    raise_descriptor_limit()
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory)
        build(folder)
        server = pushing(folder / "pusher", MESSAGES_PER_S, 0)
        try:
            figures = overloaded(folder, server.port)
        finally:
            server.stop()
    table = Table(
        "what", "measured", title=f"{CONNECTIONS:,} connections, {MESSAGES_PER_S:,}/s offered"
    )
    for name, value in figures.items():
        table.add_row(name, f"{value:,.4g}" if isinstance(value, float) else str(value))
    Console(width=120).print(table)
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    OUTPUT.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


def overloaded(folder: Path, port: int) -> dict[str, object]:
    """Run the load and watch the generator's memory from outside."""
    files = {
        "dialect": DIALECT,
        "target": {
            "target": 1,
            "name": "pusher",
            "host": "127.0.0.1",
            "port": port,
            "dialect": str(folder / "dialect.yaml"),
            "channels": ["ticker"],
            "symbols": ["x"],
        },
        "profile": {
            "profile": 1,
            "name": "overload",
            "kind": "ramp",
            "levels": [CONNECTIONS],
            "connects_per_s": 1000,
            "connections_per_user": 100,
            "settle_s": 5,
            "plateau_s": PLATEAU_S,
            "ramp_timeout_s": 300,
            "mix": {"subscriptions_per_connection": 1, "requests_per_s_per_connection": 0.0},
        },
    }
    for name, content in files.items():
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    arguments = ["--target", str(folder / "target.yaml"), "--profile", str(folder / "profile.yaml")]
    began_s = time.monotonic()
    with subprocess.Popen(
        pinned(
            [
                sys.executable,
                "-m",
                "capacity.cli.main",
                "measure",
                *arguments,
                "--run",
                str(folder / "run"),
            ]
        ),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        memory = memory_over_time(process.pid)
        assert process.stderr is not None
        said = process.stderr.read().strip().splitlines()
    record = load(folder / "run")
    return {
        **figures_of(record),
        "exit_code": process.returncode,
        "last_words": said[-1] if said else "",
        "seconds": time.monotonic() - began_s,
        "memory_growth_on_plateau_bytes": growth(memory, record),
    }


def memory_over_time(pid: int) -> list[tuple[float, int]]:
    """Return (epoch seconds, bytes) of the whole process tree until it ends."""
    readings = []
    root = psutil.Process(pid)
    while root.is_running() and root.status() != psutil.STATUS_ZOMBIE:
        total = 0
        for process in [root, *root.children(recursive=True)]:
            try:
                total += process.memory_info().rss
            except psutil.NoSuchProcess:
                continue
        readings.append((time.time(), total))
        time.sleep(1.0)
    return readings


def growth(memory: list[tuple[float, int]], record: RunRecord) -> int | None:
    step = record.steps[-1]
    if step.plateau_started_at is None or step.plateau_ended_at is None:
        return None
    on_plateau = [
        size for at, size in memory if step.plateau_started_at <= at <= step.plateau_ended_at
    ]
    return on_plateau[-1] - on_plateau[0] if len(on_plateau) > 1 else None


def figures_of(record: RunRecord) -> dict[str, object]:
    step = record.steps[-1]
    lag = [
        h
        for (index, series), h in record.histograms.items()
        if index == step.index and series == "lag"
    ]
    return {
        "connections_peak": step.connections_peak,
        "deliveries_per_s": step.load.deliveries_per_s if step.load else None,
        "void": step.void,
        "timer_lag_p95_s": step.generator.lag_p95_s if step.generator else None,
        "timer_lag_max_s": lag[0].quantile_us(1.0) / 1e6 if lag else None,
        "workers_lost": sum(event.kind == "worker_lost" for event in record.events),
    }


if __name__ == "__main__":
    main()
