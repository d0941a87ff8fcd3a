"""Short runs beside busy loops, with nobody touching a process: `make untouched`, resumable.

A generator that is short of processor time may void a step; it must not lose its workers. A line of JSON
a run, how it ended and what it says of its workers; those that are there are not repeated.
"""

import argparse
import json
import math
import os
import signal
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from staging import LONGEST_RUN_S, PROFILE, measuring, staged

LOSS = "worker_lost"
ENDS = {"finished", "aborted"}
SURE = 0.95
BUSY = [sys.executable, "-c", "while True: pass"]


def run_beside(folder):
    """Measure the exchange once in a folder of its own; return how that ended and what was lost on the way."""
    folder.mkdir(parents=True)
    with ExitStack() as stack:
        staged(stack, folder, PROFILE)
        command = measuring(stack, folder)
        try:
            exit_code = command.wait(LONGEST_RUN_S)
        except subprocess.TimeoutExpired:
            exit_code = None
    return {"exit_code": exit_code, **told_in(folder / "run")}


def told_in(run):
    """Return what the record of a run says of its end and of its workers."""
    events = _lines(run / "events.jsonl")
    end = next((event for event in reversed(events) if event["kind"] in ENDS), None)
    return {
        "ending": end and end["kind"],
        "reason": end and end["detail"].get("reason"),
        "lost": [event["detail"]["reason"] for event in events if event["kind"] == LOSS],
        "void": [step["void"] for step in _lines(run / "steps.jsonl") if step["void"]],
    }


def _lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def campaign(folder, runs, *, busy, at_once):
    """Make the runs that are not there yet beside *busy* loops, *at_once* of them at a time; return all."""
    folder.mkdir(parents=True, exist_ok=True)
    results = folder / "untouched.jsonl"
    known = {line["number"]: line for line in _lines(results)}
    missing = [number for number in range(runs) if number not in known]
    with ExitStack() as stack:
        for _ in range(busy if missing else 0):
            stack.callback(stack.enter_context(subprocess.Popen(BUSY)).kill)
        pool = stack.enter_context(ThreadPoolExecutor(at_once))
        for line in pool.map(partial(_one, folder), missing):
            known[line["number"]] = line
            with results.open("a") as file:
                file.write(json.dumps(line) + "\n")
            print(json.dumps(line), flush=True)
    return [known[number] for number in sorted(known)]


def _one(folder, number):
    return {"number": number, **run_beside(folder / f"{number:04d}-{os.getpid()}")}


def most_likely_ratio(lost, runs):
    """Return the upper end of the one-sided 95 % interval for the share that is lost.

    Clopper and Pearson, Biometrika 26 (1934) 404; of none lost it is the rule of three, 3/n.
    """
    low, high = lost / runs, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        seen = sum(
            math.comb(runs, count) * middle**count * (1 - middle) ** (runs - count)
            for count in range(lost + 1)
        )
        low, high = (middle, high) if seen > 1 - SURE else (low, middle)
    return high


def summed_up(lines):
    """Return what came of all runs, a sentence each."""
    endings = Counter((line["exit_code"], line["reason"]) for line in lines)
    lost = sum(bool(line["lost"]) for line in lines)
    void = sum(bool(line["void"]) for line in lines)
    yield from (f"{count} ended with {code}: {reason}" for (code, reason), count in endings.items())
    yield f"{lost} of {len(lines)} runs lost a worker (95 %: at most {most_likely_ratio(lost, len(lines)):.1%})"
    yield f"{void} of {len(lines)} runs have a void step"


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # Ends what it has started.
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--busy", type=int, default=2, help="loops that do nothing but run")
    parser.add_argument("--at-once", type=int, default=2, help="runs beside each other")
    parser.add_argument("--folder", type=Path, default=Path("reports/untouched"))
    asked = parser.parse_args()
    made = campaign(asked.folder.absolute(), asked.runs, busy=asked.busy, at_once=asked.at_once)
    print(*summed_up(made), sep="\n")
    sys.exit(any(line["lost"] for line in made))
