"""A campaign of faults over short runs, judged by rules: `make chaos`, resumable, the same for one seed.

    python tests/chaos/campaign.py [--faults 1000] [--minutes M] [--seed 1] [--at-once 3] [--again]
                                    [--only 'hostile answers,descriptor limit']

--only plays the seed's trials that have a fault of one of these kinds: what is drawn rarely.

Whatever is done: the command ends, nothing is left of it, what was recorded loads and is answered, the
end has an owner, and no plan is wrong without a caveat that says why. A line of JSON a trial in
reports/chaos/outcomes.jsonl; those that are there are not repeated. Needs root.
"""

import argparse
import itertools
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

from campaign_page import OUTCOMES, faults_in, read, written
from faults import Fault, faults_of

ROOT = Path(__file__).parents[2]
RECORDED = ROOT / "reports" / "example"


def outcome_of(seed, number, faults, folder):
    """Play one trial in another process; what breaks the campaign itself is an outcome as well."""
    from trial import played

    try:
        outcome = played(seed, number, faults, folder, RECORDED)
    except Exception as error:  # noqa: BLE001 - the next trial is another one
        traceback.print_exc()
        drawn = [fault.as_dict() for fault in faults]
        outcome = {"faults": drawn, "broken": [("campaign", repr(error)[:300])]}
    if not outcome["broken"]:
        shutil.rmtree(folder, ignore_errors=True)
    return {"seed": seed, "trial": number, "at": round(time.time()), **outcome}


def commit():
    said = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return said.stdout.strip()[:12]


def due(known, seed, *, is_again, only=frozenset()):
    """Yield (number, faults) of the trials to play: those not played yet, or what broke a rule anew.

    Of kinds in *only*, if any, the trials that have one of them.
    """
    if is_again:
        for row in known:
            if row["broken"]:
                yield row["trial"], [Fault.of(fault) for fault in row["faults"]]
        return
    played = {row["trial"] for row in known}
    for number in itertools.count():
        faults = faults_of(seed, number)
        if number not in played and (not only or only & {fault.kind for fault in faults}):
            yield number, faults


def campaign(asked, folder):
    """Play trials until as many faults are done, or the time is over; return those that broke a rule."""
    asked.outcomes.parent.mkdir(parents=True, exist_ok=True)
    known = [row for row in read(asked.outcomes) if row["seed"] == asked.seed]
    trials = due(
        tuple(known),
        asked.seed,
        is_again=asked.again,
        only=set(filter(None, asked.only.split(","))),
    )
    began_s = time.monotonic()
    made_by, running = commit(), set()
    # What has begun is played to its end, so that nothing of it is left.
    signal.signal(signal.SIGTERM, lambda *_: setattr(asked, "minutes", 0.0))
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(asked.at_once, mp_context=context) as pool:
        while True:
            is_enough = not asked.again and sum(1 for _ in faults_in(known)) >= asked.faults
            while (
                not (is_enough or time.monotonic() > began_s + 60.0 * asked.minutes)
                and len(running) < asked.at_once
            ):
                if (trial := next(trials, None)) is None:
                    break
                place = folder / f"{asked.seed}-{trial[0]:04d}"
                running.add(pool.submit(outcome_of, asked.seed, *trial, place))
            if not running:
                break
            ended, running = wait(running, return_when=FIRST_COMPLETED)
            for each in ended:
                row = {**each.result(), "commit": made_by}
                known.append(row)
                with asked.outcomes.open("a") as file:
                    file.write(json.dumps(row) + "\n")
                _show(row)
    newest = {row["trial"]: row for row in known}
    return [row for row in newest.values() if row["broken"]]


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
    parser.add_argument("--again", action="store_true", help="play what broke a rule once more")
    parser.add_argument("--only", default="", help="kinds of faults, by commas")
    parser.add_argument("--keep", type=Path, help="where folders of trials that broke a rule stay")
    asked = parser.parse_args(arguments)
    folder = asked.keep or Path(tempfile.mkdtemp(prefix="capacity-chaos-"))
    broken = campaign(asked, folder.absolute())
    print(written(read(asked.outcomes)))
    return bool(broken)


if __name__ == "__main__":
    sys.exit(main())
