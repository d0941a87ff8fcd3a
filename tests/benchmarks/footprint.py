"""What an idle connection costs the generator in memory, and what opening one costs it in CPU.

`make bench` prints the table and writes reports/benchmarks/footprint.json. Server and clients as in
receive_path.py; memory is the client's own, from 1,000 to 15,000 connections in one process.
"""

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from receive_path import HERE, build, pinned, pushing
from rich.console import Console
from rich.table import Table

from capacity.loadgen.wire.process_limits import raise_descriptor_limit

OUTPUT = Path("reports/benchmarks/footprint.json")
FEW, MANY = 1_000, 15_000
SECONDS = 2.0
MESSAGES_PER_S = 10
REPEATS = 3
CASES = {
    "ours, 100 connections a user": ["ours.py", "100"],
    "ours, one connection a user": ["ours.py", "1"],
    "plain Locust": ["plain.py"],
}


def main() -> None:
    raise_descriptor_limit()
    with tempfile.TemporaryDirectory() as directory:
        build(Path(directory))
        pusher = Path(directory) / "pusher"
        rows = {name: row(pusher, case) for name, case in CASES.items()}
    table = Table("client", *next(iter(rows.values())), title=f"{FEW:,} to {MANY:,} connections")
    for name, figures in rows.items():
        table.add_row(name, *[f"{value:,.4g}" for value in figures.values()])
    Console(width=120).print(table)
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    OUTPUT.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


def row(pusher: Path, case: list[str]) -> dict[str, float]:
    few = [run(pusher, case, FEW) for _ in range(REPEATS)]
    many = run(pusher, case, MANY)
    memory_bytes = statistics.median(figures["memory_bytes"] for figures in few)
    return {
        "bytes_per_connection": (many["memory_bytes"] - memory_bytes) / (MANY - FEW),
        "connects_per_s": statistics.median(figures["connects_per_s"] for figures in few),
        "cpu_us_per_connect": statistics.median(figures["cpu_us_per_connect"] for figures in few),
    }


def run(pusher: Path, case: list[str], connections: int) -> dict[str, float]:
    script, *options = case
    server = pushing(pusher, MESSAGES_PER_S, 0)
    arguments = [str(server.port), str(connections), str(SECONDS), *options]
    try:
        output = subprocess.run(
            pinned([sys.executable, str(HERE / "clients" / script), *arguments]),
            check=True,
            stdout=subprocess.PIPE,
            timeout=300,
        ).stdout
    finally:
        server.stop()
    figures: dict[str, float] = json.loads(output)
    return figures


if __name__ == "__main__":
    main()
