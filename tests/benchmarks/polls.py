"""What a REST poll costs, and how many a core can make, beside a plain Locust FastHttpUser.

`make bench` prints the table and writes reports/benchmarks/polls.json. A C server that is faster than
any client (native/responder.c) has one core, the client the other; the clients take turns, and the
figures are medians over the rounds. Two questions:

most polls    every poller asks again as soon as it has its answer: what a core can make
paced         CPU per poll at a fixed rate. Ours spreads its pollers evenly over the interval, and
              wakes for each poll; the plain ones all start at once and share their wake-ups, which
              is cheaper and, for whom is asked, a burst: compare the latencies too.

Ours counts each poll under its step, measures from the intended start, keeps cookies, gives up
answers that drip or have no end, and tells Locust's own statistics, as the plain one does. The plain
one follows redirects and asks for brotli too; neither comes up here.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from receive_path import build, pinned
from rich.console import Console
from rich.table import Table

HERE = Path(__file__).parent
OUTPUT = Path("reports/benchmarks/polls.json")
POLLERS = 50
CASES = ("most", "1000", "4000")
"""Polls a second, all pollers together; "most" is as many as there are."""
SECONDS = 4.0
ROUNDS = 5
KINDS = ("ours", "plain")

Figures = dict[str, float]


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        build(Path(directory))
        figures = measured(Path(directory) / "responder")
    rows = [row(case, kind, figures[case, kind]) for case in CASES for kind in KINDS]
    ratios = {case: ratio(case, figures) for case in CASES}
    show(rows, ratios)
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    document = {"pollers": POLLERS, "rounds": ROUNDS, "cases": rows, "ours_to_plain": ratios}
    OUTPUT.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def measured(responder: Path) -> dict[tuple[str, str], list[Figures]]:
    """Return the figures of every round, by case and kind of poller."""
    found: dict[tuple[str, str], list[Figures]] = {
        (case, kind): [] for case in CASES for kind in KINDS
    }
    server_core = str(min(os.sched_getaffinity(0)))
    with subprocess.Popen(
        ["taskset", "-c", server_core, str(responder)], stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        port = server.stdout.readline().strip()
        try:
            for n in range(ROUNDS):
                for case in CASES:
                    # Who goes first changes, so that no other load here favours one.
                    for kind in KINDS if n % 2 else reversed(KINDS):
                        found[case, kind].append(polled(kind, port, case))
        finally:
            server.terminate()
    return found


def polled(kind: str, port: str, case: str) -> Figures:
    script = str(HERE / "clients" / "pollers.py")
    output = subprocess.run(
        pinned([sys.executable, script, kind, port, str(POLLERS), case, str(SECONDS)]),
        check=True,
        stdout=subprocess.PIPE,
        timeout=60,
    ).stdout
    figures: Figures = json.loads(output)
    if figures["failures"]:
        sys.exit(f"{figures['failures']:.0f} polls of {kind} failed: nothing can be compared")
    return figures


def row(case: str, kind: str, rounds: list[Figures]) -> dict[str, float | str]:
    """Return the medians over the rounds."""
    return {
        "polls_offered_per_s": case,
        "pollers": kind,
        **{key: median(figures[key] for figures in rounds) for key in rounds[0]},
    }


def ratio(case: str, figures: dict[tuple[str, str], list[Figures]]) -> dict[str, float]:
    """Return ours over plain, round by round, as median, lowest and highest."""
    key = "polls_per_s" if case == "most" else "cpu_us_per_poll"
    pairs = zip(figures[case, "ours"], figures[case, "plain"], strict=True)
    ratios = [ours[key] / plain[key] for ours, plain in pairs]
    return {key: median(ratios), "lowest": min(ratios), "highest": max(ratios)}


def show(rows: list[dict[str, float | str]], ratios: dict[str, dict[str, float]]) -> None:
    table = Table(*rows[0], title=f"{POLLERS} pollers, one core")
    for cells in rows:
        table.add_row(
            *[f"{cell:,.4g}" if isinstance(cell, float) else str(cell) for cell in cells.values()]
        )
    console = Console(width=140)
    console.print(table)
    for case, found in ratios.items():
        (key, value), (_, lowest), (_, highest) = found.items()
        console.print(
            f"{case}: {key}, ours is {value:.2f} of plain ({lowest:.2f} to {highest:.2f})"
        )


if __name__ == "__main__":
    main()
