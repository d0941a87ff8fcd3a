"""What a received message costs, beside what people write: Locust with websocket-client.

`make bench` prints the table and writes reports/benchmarks/receive_path.json. A C server (pusher.c,
compiled on the spot) has core 0, the client core 1; CPU falls as the rate rises, because wake-ups and
reads batch, so compare equal rates only, and ratios rather than absolutes.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

HERE = Path(__file__).parent
OUTPUT = Path("reports/benchmarks/receive_path.json")
CONNECTIONS = 1000
SECONDS = 6.0
CASES = [("plain", 8_000), ("ours", 8_000), ("ours", 30_000), ("ours", 100_000)]
COLUMNS = (
    "messages_per_s",
    "cpu_us_per_message",
    "cpu_cores",
    "delay_p50_ms",
    "delay_p99_ms",
    "gaps",
)


def main() -> None:
    if shutil.which("gcc") is None:
        sys.exit("The C compiler is missing: apt install gcc libc6-dev")
    if len(os.sched_getaffinity(0)) < 2:
        sys.exit("Two cores are needed: one for the server, one for the client")
    with tempfile.TemporaryDirectory() as directory:
        pusher = Path(directory) / "pusher"
        flags = ["-O2", "-Wall", "-D_GNU_SOURCE"]
        subprocess.run(["gcc", *flags, "-o", pusher, HERE / "pusher.c"], check=True)
        results = [
            {"client": kind, "rate": rate, **run(pusher, kind, rate)} for kind, rate in CASES
        ]
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    OUTPUT.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    table = Table("client", "offered/s", *COLUMNS, title=f"{CONNECTIONS} connections, one core")
    for result in results:
        cells = [f"{result[column]:,.4g}" for column in COLUMNS]
        table.add_row(str(result["client"]), f"{result['rate']:,}", *cells)
    Console(width=120).print(table)
    plain, ours = results[0], results[1]
    ratio = ours["cpu_us_per_message"] / plain["cpu_us_per_message"]
    print(f"CPU per message at 8,000/s: {ratio:.2f} of plain Locust with websocket-client")


def run(pusher: Path, kind: str, rate: int) -> dict[str, float]:
    """Return the client's figures for one case."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server_core, client_core = sorted(os.sched_getaffinity(0))[:2]
    server = subprocess.Popen(
        ["taskset", "-c", str(server_core), str(pusher), str(port), str(rate)],
        stdout=subprocess.PIPE,
    )
    try:
        assert server.stdout is not None
        server.stdout.readline()
        client = [sys.executable, str(HERE / "receive_client.py"), kind, str(port)]
        output = subprocess.run(
            ["taskset", "-c", str(client_core), *client, str(CONNECTIONS), str(SECONDS)],
            check=True,
            stdout=subprocess.PIPE,
            timeout=120,
        ).stdout
        figures: dict[str, float] = json.loads(output)
        return figures
    finally:
        server.terminate()
        server.communicate()


if __name__ == "__main__":
    main()
