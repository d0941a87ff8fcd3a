"""Users that come, subscribe, leave and return for an hour: does any process of a run grow?

    python tests/soak/soak.py [--minutes 60] [--every-s 30] [--into FILE]
    python tests/soak/soak.py --judge FILE        the same table from readings that are there

A real run: exchange, agent, command, master and two workers. The population goes up and down once a
minute, and each connection is opened anew after some 20 s. Memory (RSS and PSS), descriptors, threads
and greenlets of every process are read in even intervals. Exit code 1 where one of them grows.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import yaml

sys.path.insert(0, str(Path(__file__).parent))

from readings import Watched, read
from trend import WARM_UP_RATIO, grown, table

from capacity.cli.running.bundled import start_bundled_target
from capacity.cli.running.children import running, terminations_unwind

ROOT = Path(__file__).parent.parent.parent
HIGH, LOW = 120, 80
CYCLE_S = 60.0
MOST_STEPS = 200
CHURN_PER_S = 0.05
WORKERS = 2
KEPT_SAMPLES = 60
"""The agent keeps an hour by default, which an hour of soak would only just fill."""


def profile(minutes):
    """Return the load: up and down for longer than it is watched."""
    cycles = min(MOST_STEPS // 2, int(minutes * 60 / CYCLE_S) + 2)
    plateau_s = max(CYCLE_S, minutes * 60 / cycles) / 2 - 5
    steps = [{"connections": HIGH}, {"connections": LOW}] * cycles
    return {
        "profile": 1,
        "name": "soak",
        "kind": "sequence",
        "connects_per_s": 20,
        "settle_s": 2,
        "plateau_s": plateau_s,
        "ramp_timeout_s": 60,
        "guards": None,
        "mix": {
            "subscriptions_per_connection": 2,
            "requests_per_s_per_connection": 0.02,
            "orders_per_s_per_connection": 0.02,
            "churn_per_s_per_connection": CHURN_PER_S,
        },
        "steps": steps,
    }


def soak(minutes, every_s, into):
    """Run, and append a reading of each process to *into* in even intervals."""
    with tempfile.TemporaryDirectory() as directory, terminations_unwind(), ExitStack() as stack:
        folder = Path(directory)
        counts = prepare(folder)
        options = ["--updates-per-s", "1"]
        keep = ["--keep", str(KEPT_SAMPLES)]
        target = start_bundled_target(stack, folder, options, agent_options=keep)
        (folder / "profile.yaml").write_text(yaml.safe_dump(profile(minutes)), encoding="utf-8")
        os.chdir(folder)
        command = ["-m", "capacity.cli.main", "measure", "--target", str(target)]
        command += ["--profile", "profile.yaml", "--workers", str(WORKERS), "--run", "run"]
        environment = {"CAPACITY_SOAK_COUNTS": str(counts)}
        cli = stack.enter_context(running("measure", command, folder / "measure.log", environment))
        watched = Watched(cli.process.pid, counts)
        began_s, due_s = time.monotonic(), time.monotonic() + every_s
        while (now_s := time.monotonic()) - began_s < minutes * 60:
            time.sleep(max(0.0, due_s - now_s))
            due_s += every_s
            if not cli.is_running:
                sys.exit(f"the run ended after {now_s - began_s:.0f} s: {cli.last_words()}")
            for role, pid in watched.processes(os.getpid()).items():
                reading = {"at_s": time.monotonic() - began_s, "role": role, **read(pid, counts)}
                into.write(json.dumps(reading) + "\n")
            into.flush()


def prepare(folder):
    """Lay out locustfiles that count greenlets beside the shipped ones; return where they count."""
    shutil.copytree(ROOT / "locustfiles", folder / "locustfiles")
    shutil.copy2(
        Path(__file__).parent / "locustfiles" / "count_greenlets.py", folder / "locustfiles"
    )
    counts = folder / "counts"
    counts.mkdir()
    return counts


def judged(lines):
    """Print the slopes of what was read; return the exit code."""
    readings = [json.loads(line) for line in lines]
    print(table(readings))
    found = grown(readings)
    for sentence in found:
        print(f"grows: {sentence}")
    print(
        f"{len(found)} of the series grow, the first {WARM_UP_RATIO:.0%} of the time left out as warm-up"
    )
    return 1 if found else 0


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--every-s", type=float, default=30.0)
    parser.add_argument("--into", type=Path, default=Path("reports/soak.jsonl"))
    parser.add_argument("--judge", type=Path, metavar="FILE")
    options = parser.parse_args(arguments)
    file = options.judge
    if file is None:
        file = options.into.absolute()
        with file.open("w", encoding="utf-8") as into:
            soak(options.minutes, options.every_s, into)
    return judged(file.read_text(encoding="utf-8").splitlines())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
