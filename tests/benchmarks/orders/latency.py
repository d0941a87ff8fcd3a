"""How true the latency of orders is: a venue whose delay is known, asked by ours and by plain sockets at once.

`make orders` prints the table and writes reports/benchmarks/orders.json. The venue answers after 10 ms,
and each 25th time of a connection after 60 ms, while the next two requests fall due: their latency counts
from the intent. What the machine adds it adds to both clients, who ask at the same pace in the same seconds:
the calmest seconds count, in which the fewest latencies of the plain sockets were farther than CALM_MS from
all that are known, whatever ours came to in them.
"""

import json
import subprocess
import sys
from pathlib import Path
from statistics import quantiles

from rich.console import Console
from rich.table import Table

from capacity.domain.histogram import Histogram

HERE = Path(__file__).parent
OUTPUT = Path("reports/benchmarks/orders.json")
USUAL_MS, LATE_MS, EVERY, INTERVAL_MS = 10.0, 60.0, 25, 25.0
TRADERS = 8
SECONDS, SETTLE_S = 60.0, 3.0
CALM_MS = 1.0
COUNTED_RATIO = 0.2
"""Of the seconds, the calmest."""
WAYS = ("websocket", "rest")
QUANTILES = (50, 99)
WITHIN_MS = 1.0


def main() -> int:
    plain, windows, failed = measured()
    seconds = [(window, during(window, plain)) for window in windows]
    seconds.sort(key=lambda second: held_up(second[1]))
    calm = seconds[: round(COUNTED_RATIO * len(seconds))]
    most = held_up(calm[-1][1])
    document = {
        "seconds": len(windows),
        "counted": len(calm),
        "held_up_ratio": most,
        "failed": failed,
    }
    print(
        f"the calmest {len(calm)} of {len(windows)} seconds: at most {most:.1%} of the plain requests held up;"
        f" ours counted failures in all of them: {failed}"
    )
    rows = compared(calm)
    table = Table(*rows[0], title="Latency of orders from the intent, ms")
    for row in rows:
        table.add_row(*[f"{v:.2f}" if isinstance(v, float) else str(v) for v in row.values()])
    Console(width=120).print(table)
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    OUTPUT.write_text(json.dumps({**document, "rows": rows}, indent=2) + "\n", encoding="utf-8")
    return int(any(abs(row["ours - plain"]) > WITHIN_MS for row in rows))


def measured() -> tuple[dict, list[dict], dict]:
    settings = [str(TRADERS), str(INTERVAL_MS), str(SECONDS), str(SETTLE_S)]
    with started("order_venue.py", str(USUAL_MS), str(LATE_MS), str(EVERY)) as venue:
        try:
            port = venue.stdout.readline().strip()
            with (
                started("plain.py", port, *settings) as plain,
                started("ours.py", port, *settings) as ours,
            ):
                theirs = json.loads(plain.communicate(timeout=SECONDS + 90)[0])
                found = json.loads(ours.communicate(timeout=SECONDS + 90)[0])
        finally:
            venue.kill()
    return theirs, found["windows"], found["failed"]


def during(window: dict, plain: dict) -> dict[str, list[float]]:
    """Return the latencies of plain sockets that ended in one second of ours, by way."""
    return {
        way: [ms for at_s, ms in told if window["began_s"] <= at_s < window["ended_s"]]
        for way, told in plain.items()
    }


def held_up(said: dict[str, list[float]]) -> float:
    """Return the share of latencies that are no known one."""
    known = set(known_ms())
    every = [ms for told in said.values() for ms in told]
    if not every:
        return 1.0
    return sum(min(abs(ms - one) for one in known) > CALM_MS for ms in every) / len(every)


def compared(calm: list[tuple[dict, dict[str, list[float]]]]) -> list[dict]:
    truth, rows = known_ms(), []
    for way in WAYS:
        ours = Histogram()
        for window, _said in calm:
            counts = window["histograms"].get(way, {})
            ours.merge({int(bucket): count for bucket, count in counts.items()})
        theirs = [ms for _window, said in calm for ms in said[way]]
        for q in QUANTILES:
            known, plain, measured_ms = (
                cut(truth, q),
                cut(theirs, q),
                ours.quantile_us(q / 100) / 1e3,
            )
            rows.append(
                {
                    "way": way,
                    "quantile": f"p{q}",
                    "requests of ours": ours.total,
                    "of plain": len(theirs),
                    "known": known,
                    "plain sockets": plain,
                    "ours": measured_ms,
                    "ours - known": measured_ms - known,
                    "ours - plain": measured_ms - plain,
                }
            )
    return rows


def known_ms() -> list[float]:
    """Return what one trader must see in one turn of the venue, by arithmetic alone, in ms."""
    latencies, free_ms = [], 0.0
    for number in range(EVERY):
        intended_ms = number * INTERVAL_MS
        free_ms = max(intended_ms, free_ms) + (USUAL_MS if number else LATE_MS)
        latencies.append(free_ms - intended_ms)
    return latencies * 40  # So many that a quantile is one of them.


def cut(values: list[float], q: int) -> float:
    return quantiles(values, n=100, method="inclusive")[q - 1]


def started(program: str, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, str(HERE / program), *arguments], stdout=subprocess.PIPE, text=True
    )


if __name__ == "__main__":
    sys.exit(main())
