"""A campaign of faults over short runs, judged by rules: `make chaos`, resumable, the same for one seed.

    python tests/chaos/campaign.py [--faults 1000] [--minutes M] [--seed 1] [--at-once 3]

Whatever is done: the command ends, nothing is left of it, what was recorded loads and is answered, the
end has an owner, and no plan is wrong without a caveat that says why. A line of JSON a trial in
reports/chaos/outcomes.jsonl; those that are there are not repeated. Needs root.
"""

import argparse
import json
import multiprocessing
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from faults import faults_of
from page import OUTCOMES, faults_in, read, written

ROOT = Path(__file__).parents[2]
RECORDED = ROOT / "reports" / "example"


def outcome_of(seed, number, folder):
    """Play one trial in another process; what breaks the campaign itself is an outcome as well."""
    from trial import played

    try:
        outcome = played(seed, number, folder, RECORDED)
    except Exception as error:  # noqa: BLE001 - the next trial is another one
        traceback.print_exc()
        faults = [fault.as_dict() for fault in faults_of(seed, number)]
        outcome = {"faults": faults, "broken": [("campaign", repr(error)[:300])]}
    if not outcome["broken"]:
        shutil.rmtree(folder, ignore_errors=True)
    return {"seed": seed, "trial": number, "at": round(time.time()), **outcome}


def commit():
    said = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return said.stdout.strip()[:12]


def campaign(asked, folder):
    """Play trials until as many faults are done, or the time is over; return those that broke a rule."""
    asked.outcomes.parent.mkdir(parents=True, exist_ok=True)
    known = [row for row in read(asked.outcomes) if row["seed"] == asked.seed]
    ends_s = time.monotonic() + 60.0 * asked.minutes
    numbers = iter(sorted(set(range(100_000)) - {row["trial"] for row in known}))
    made_by, running = commit(), set()
    # What has begun is played to its end, so that nothing of it is left.
    signal.signal(signal.SIGTERM, lambda *_: setattr(asked, "faults", 0))
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(asked.at_once, mp_context=context) as pool:
        while True:
            is_enough = (
                sum(1 for _ in faults_in(known)) >= asked.faults or time.monotonic() > ends_s
            )
            while not is_enough and len(running) < asked.at_once:
                number = next(numbers)
                running.add(
                    pool.submit(
                        outcome_of, asked.seed, number, folder / f"{asked.seed}-{number:04d}"
                    )
                )
            if not running:
                break
            ended, running = wait(running, return_when=FIRST_COMPLETED)
            for each in ended:
                row = {**each.result(), "commit": made_by}
                known.append(row)
                with asked.outcomes.open("a") as file:
                    file.write(json.dumps(row) + "\n")
                _show(row)
    return [row for row in known if row["broken"]]


def _show(row):
    kinds = ", ".join(f"{f['kind']} {f['owner']} {f['choice']}" for f in row["faults"][:3])
    ended = f"{row.get('code')} after {row.get('ended_s')} s"
    print(row["trial"], kinds, "|", ended, "|", row["broken"] or "held", flush=True)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--faults", type=int, default=1000)
    parser.add_argument("--minutes", type=float, default=24 * 60.0)
    parser.add_argument("--at-once", type=int, default=3)
    parser.add_argument("--outcomes", type=Path, default=OUTCOMES)
    parser.add_argument("--keep", type=Path, help="where folders of trials that broke a rule stay")
    asked = parser.parse_args(arguments)
    folder = asked.keep or Path(tempfile.mkdtemp(prefix="capacity-chaos-"))
    broken = campaign(asked, folder.absolute())
    print(written(read(asked.outcomes)))
    return bool(broken)


if __name__ == "__main__":
    sys.exit(main())
