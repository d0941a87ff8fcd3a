"""What a received update costs in each dialect that ships, beside json-push.

`make dialects` prints the table and writes reports/benchmarks/dialects.json. Each dialect is as it ships,
but for what it asks and waits for: native/pusher.c, which has one core, pushes to whoever connects. The
frames are of one length and hold the same book, so that what differs is the dialect. All dialects take
turns, and so does each with json-push just before it: a ratio is of two runs that are seconds apart, and
the figure is the median of the ratios. Pairs of which one was held up by what else the machine does, so that
less than nine tenths came in, are left out and counted.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from receive_path import CONSOLE, Figures, build, pinned, pushing  # noqa: E402
from rich.table import Table  # noqa: E402
from update_frames import UPDATES  # noqa: E402

from capacity.settings.dialect import dump, load_dialect  # noqa: E402
from capacity.settings.locate import find  # noqa: E402

OUTPUT = Path("reports/benchmarks/dialects.json")
BASE = "json-push"
CONNECTIONS, SECONDS = 1000, 3.0
UNASKED = {"opening": [], "subscribe": None, "unsubscribe": None, "heartbeat": []}


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--rate", type=int, default=8_000, help="messages a second")
    options.add_argument("--repeats", type=int, default=5)
    options.add_argument("names", nargs="*", help="dialects; all without any")
    asked = options.parse_args()
    names = asked.names or [name for name in UPDATES if name != BASE]
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory)
        build(folder)
        rows = measured(folder, names, asked.rate, asked.repeats)
    rows.sort(key=lambda row: float(row["ratio"]))
    table = Table("dialect", "pairs", "µs a message", "json-push", "ratio", "least", "most")
    for row in rows:
        numbers = (row[key] for key in ("cost_us", "base_us", "ratio", "least", "most"))
        table.add_row(
            str(row["dialect"]), str(row["pairs"]), *[f"{number:.2f}" for number in numbers]
        )
    CONSOLE.print(table)
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    OUTPUT.write_text(json.dumps({"rate": asked.rate, "dialects": rows}, indent=2) + "\n", "utf-8")


def measured(folder: Path, names: list[str], rate: int, repeats: int) -> list[dict]:
    costs: dict[str, list[tuple[float, float]]] = {name: [] for name in names}
    for _ in range(repeats):
        for name in names:
            base, cost = cost_us(folder, BASE, rate), cost_us(folder, name, rate)
            print(name, cost, base, flush=True)
            if base and cost:
                costs[name].append((cost, base))
    return [row(name, pairs) for name, pairs in costs.items() if pairs]


def row(name: str, pairs: list[tuple[float, float]]) -> dict[str, str | float]:
    ratios = [cost / base for cost, base in pairs]
    return {
        "dialect": name,
        "pairs": len(pairs),
        "cost_us": median(cost for cost, _base in pairs),
        "base_us": median(base for _cost, base in pairs),
        "ratio": median(ratios),
        "least": min(ratios),
        "most": max(ratios),
    }


def cost_us(folder: Path, name: str, rate: int) -> float | None:
    """Return processor time for a message of one dialect, None where too few came in time.

    Leaves where it was not understood.
    """
    update = UPDATES[name]
    place_of = name.replace(", ", "-").replace(" ", "-")
    template, described = folder / f"{place_of}.frame", folder / f"{place_of}.json"
    template.write_bytes(update.frame())
    shipped = dump(load_dialect(find("dialects", update.dialect or name)))
    dialect = {**shipped, **UNASKED, **update.changes}
    dialect["ws"] = {"url": "{scheme}://{host}:{port}/"}
    place = {"channels": [update.channel], "symbols": [update.symbol]}
    described.write_text(json.dumps({"dialect": dialect, **place}), "utf-8")
    server = pushing(folder / "pusher", rate, 0, template)
    try:
        figures = asked(server.port, described)
    finally:
        server.stop()
    if figures["gaps"] or figures["unmatched"] or not figures["messages_per_s"]:
        sys.exit(f"{name}: not understood as it should be: {figures}")
    return figures["cpu_us_per_message"] if figures["messages_per_s"] > 0.9 * rate else None


def asked(port: int, described: Path) -> Figures:
    program = [sys.executable, str(HERE.parent / "clients" / "ours.py")]
    arguments = [str(port), str(CONNECTIONS), str(SECONDS), "100", str(described)]
    output = subprocess.run(
        pinned([*program, *arguments]), check=True, stdout=subprocess.PIPE, timeout=60
    ).stdout
    figures: Figures = json.loads(output)
    return figures


if __name__ == "__main__":
    main()
