"""The files of results: a line for each examination of a case, appended, never replaced."""

import json
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "reports" / "validation"
TOLD, SHIPPED = FOLDER / "results.jsonl", FOLDER / "shipped.jsonl"
OTHER_SIZES = frozenset(
    {
        "memory-aiohttp-25-1",
        "memory-aiohttp-50-1",
        "memory-uvicorn-25-1",
        "bursty memory-aiohttp-25-1",
        "bursty memory-websockets-25-1",
        "leaking memory-aiohttp-25-1",
        "leaking memory-synthetic-25-1",
    }
)
"""Results that were recorded before the sizes that these names plant were changed."""


def read(path):
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines()]


def append(path, result):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write(json.dumps(result) + "\n")


def latest(results):
    """Return the newest result of each case, and how many there are of it in all."""
    newest, counts = {}, {}
    for result in results:
        newest[result["case"]] = result
        counts[result["case"]] = counts.get(result["case"], 0) + 1
    return list(newest.values()), counts


def recorded_truths(case, results):
    """Return what the same server broke at under the same planted sizes, told a quarter or half."""
    return [
        truth
        for result in results
        if (result["server"], result["limit"], result["seed"])
        == (case.server, case.limit, case.seed)
        and result["case"] not in OTHER_SIZES
        for truth in result["truths"]
    ]
