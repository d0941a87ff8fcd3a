"""Measures a healthy exchange by profiles that chance drew, and looks whether the plan finds its limit.

The exchange may have LIMIT descriptors, and nothing else of it gives out: how many connections that is follows
from the profile. `make profiles` runs COUNT of them from SEED on and adds a line for each to
reports/chaos/random_profiles.jsonl; it fails where the target is accused, a run does not come to its end, or a
plan that doubts nothing misses the truth.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import yaml

from capacity.cli.running.bundled import start_bundled_target
from capacity.cli.running.children import terminations_unwind

LIMIT = 700
OWN = 7
"""Descriptors of the exchange at rest."""
MISSED_RATIO = 0.03
"""By more an interval must not lie beside the truth: pollers and traders are whole, chance is not."""
RUN_TIMEOUT_S = 600.0
OUTCOMES = Path(__file__).parents[2] / "reports" / "chaos" / "random_profiles.jsonl"


def profile_of(seed):
    """Return a profile as a user might write it, the same for one seed."""
    draw = random.Random(seed)
    kind = draw.choice(["ramp", "sequence", "safe", "safe", "break"])
    profile = {
        "profile": 1,
        "name": f"drawn-{seed}",
        "kind": kind,
        "connects_per_s": draw.choice([20, 50, 200]),
        "settle_s": draw.choice([0, 0.2, 1]),
        "plateau_s": draw.choice([2, 4, 6]),
        "ramp_timeout_s": draw.choice([2, 10, 30]),
        "poll_interval_s": draw.choice([0.1, 0.5, 1, 1, 2, 10]),
        "order_interval_s": draw.choice([0.5, 1, 2]),
        "mix": {
            "subscriptions_per_connection": draw.choice([0, 1, 2, 5]),
            "requests_per_s_per_connection": draw.choice([0, 0.01, 0.1, 0.5, 2]),
            "churn_per_s_per_connection": draw.choice([0, 0, 0.001, 0.02]),
            "slow_readers_ratio": draw.choice([0, 0, 0.2]),
            "orders_per_s_per_connection": draw.choice([0, 0, 0, 0.1, 0.5]),
        },
    }
    levels = sorted(draw.sample([10, 30, 60, 100, 150], draw.choice([2, 3])))
    if kind == "ramp":
        profile["levels"] = levels
    elif kind == "sequence":
        profile["steps"] = [{"connections": level} for level in levels]
    elif kind == "safe":
        profile |= {"start": draw.choice([5, 20]), "levels": draw.choice([2, 3, 4])}
        profile |= {"steps_per_level": draw.choice([1, 2, 4]), "longest_s": 120}
    else:
        profile |= {"start": draw.choice([1, 10, 50]), "growth": draw.choice([1.5, 3])}
        profile |= {"limit": draw.choice([60, 120])}
    return profile


def truth_of(profile):
    """Return how many connections the exchange's descriptors are enough for, those of polls and orders besides."""
    mix = profile["mix"]
    polls = mix["requests_per_s_per_connection"] * profile["poll_interval_s"]
    orders = mix["orders_per_s_per_connection"] * profile["order_interval_s"]
    return (LIMIT - OWN) / (1.0 + polls + orders)


def trouble_of(code, answer, truth):
    """Return what is wrong with a run's exit code and its plan, None where nothing is."""
    if code == 4:
        return "the target is accused"
    if code:
        return f"the run ended with exit code {code}"
    capacity = answer.get("capacity")
    if capacity is None:
        return "no capacity was derived"
    if answer.get("met") is not None:
        return "a limit was met that is none"
    low, high = capacity["low"] * (1.0 - MISSED_RATIO), capacity["high"] * (1.0 + MISSED_RATIO)
    is_missed = answer["binding"] == "descriptors" and not low <= truth <= high
    if is_missed and not answer["doubts"]:
        return f"[{capacity['low']:.0f}, {capacity['high']:.0f}] without a caveat, and {truth:.0f} is true"
    return None


def capacity_command(*words):
    return subprocess.run(
        [sys.executable, "-m", "capacity.cli.main", *map(str, words)],
        capture_output=True,
        text=True,
        timeout=RUN_TIMEOUT_S,
        check=False,
    )


def measured(seed, target, folder):
    """Return the line of one profile."""
    profile = profile_of(seed)
    written, run = folder / f"{seed}.yaml", folder / f"run-{seed}"
    written.write_text(yaml.safe_dump(profile), encoding="utf-8")
    workers = 1 + seed % 2
    measuring = ("measure", "--target", target, "--profile", written, "--workers", workers)
    done = capacity_command(*measuring, "--run", run)
    answer = {}
    if run.exists():
        said = json.loads(capacity_command("plan", run, "--json").stdout or "{}")
        answer = said.get("plan") or {}
    truth = truth_of(profile)
    return {
        "seed": seed,
        "code": done.returncode,
        "binding": answer.get("binding"),
        "capacity": answer.get("capacity"),
        "truth_of_descriptors": round(truth, 1),
        "caveats": [doubt["kind"] for doubt in answer.get("doubts", ())],
        "trouble": trouble_of(done.returncode, answer, truth),
        "said": done.stderr.strip().splitlines()[-1:] if done.returncode else [],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1, help="of the first profile")
    parser.add_argument("--count", type=int, default=20)
    asked = parser.parse_args()
    troubled = 0
    with terminations_unwind(), ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="profiles-")))
        options = ["--updates-per-s", "2", "--descriptor-limit", str(LIMIT)]
        target = start_bundled_target(stack, folder, options)
        for seed in range(asked.seed, asked.seed + asked.count):
            line = measured(seed, target, folder)
            with OUTCOMES.open("a", encoding="utf-8") as outcomes:
                outcomes.write(json.dumps(line) + "\n")
            print(json.dumps(line), flush=True)
            troubled += line["trouble"] is not None
    print(f"{troubled} of {asked.count} in trouble")
    return 1 if troubled else 0


if __name__ == "__main__":
    sys.exit(main())
