"""make interop: our clients against servers, and clients beside ours, that nobody here wrote.

compare.py [NAME ...] takes some of them only; compare.py --undisturbed-s 600 has all referees follow for that long,
at once, while nothing is left out. Writes reports/interop.json and the table in docs/interop.md; the exit
code is 1 where counts differ.
"""

from gevent import monkey

monkey.patch_all()

import argparse
import json
import sys
from pathlib import Path

from at_the_exchange import EXCHANGE_REFEREES
from referees import NOT_TRIED, REFEREES, UNDISTURBED, referee_outcomes, undisturbed_outcomes
from servers import SERVERS
from stories import Outcome, server_outcomes

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "reports" / "interop.json"
PAGE = ROOT / "docs" / "interop.md"
BEGIN, END = "<!-- made by make interop -->", "<!-- end -->"


def main() -> int:
    options = argparse.ArgumentParser()
    options.add_argument("names", nargs="*", help="servers or referees; all without any")
    options.add_argument("--undisturbed-s", type=float, help="seconds that all referees follow")
    parsed = options.parse_args()
    asked, long_s = parsed.names, parsed.undisturbed_s
    kept = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else []
    if not (asked or long_s):
        kept = [row for row in kept if row["kind"] == UNDISTURBED]
    rows = []
    for outcome in _outcomes(asked) if long_s is None else undisturbed_outcomes(long_s, asked):
        print(*outcome.row().values(), sep=" | ", flush=True)
        rows.append(outcome.row())
    names = {row["name"] for row in rows}
    rows = [row for row in kept if row["name"] not in names] + rows
    RESULTS.write_text(json.dumps(rows, indent=1) + "\n", "utf-8")
    _fill_page(rows)
    return int(any(row["verdict"] == "differs" for row in rows if row["name"] in names))


def _outcomes(asked):
    for name in SERVERS:
        if not asked or name in asked:
            yield from server_outcomes(name)
    for referee in REFEREES:
        if not asked or referee.name in asked:
            yield from referee_outcomes(referee)
    for exchange_referee in EXCHANGE_REFEREES:
        if not asked or exchange_referee.name in asked:
            yield from exchange_referee.outcomes()
    for name, why in NOT_TRIED.items():
        if not asked or name in asked:
            yield Outcome(kind="referee", name=name, verdict="not tried", told=why)


def _fill_page(rows: list[dict[str, str]]) -> None:
    text = PAGE.read_text("utf-8")
    head, _, rest = text.partition(BEGIN)
    tail = rest.partition(END)[2]
    lines = [
        "| what | version | dialect | verdict | counts |",
        "|---|---|---|---|---|",
        *(
            f"| {row['name']} | {row['version']} | {row['dialect']} | {row['verdict']} | {row['told']} |"
            for row in sorted(rows, key=lambda row: row["kind"], reverse=True)
        ),
    ]
    PAGE.write_text("\n".join([head + BEGIN, *lines, END]) + tail, "utf-8")


if __name__ == "__main__":
    sys.exit(main())
