"""Predicts from a safe run where a server breaks, writes that down, then breaks it three times.

    python tests/validation/run.py [PATTERN...]   the cases whose name matches; all by default

Cases with a result in reports/validation/results.jsonl are not run again. Ends after
CAPACITY_VALIDATION_MINUTES (180).
"""

import fnmatch
import glob
import hashlib
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from cases import all_cases
from network import CannotPlantError
from planting import server
from prediction import ROOT, predict

RESULTS = ROOT / "reports" / "validation" / "results.jsonl"
BREAKER = Path(__file__).with_name("breaker.py")
BREAKS = 3


def held_at(case):
    """Return where the limit should bite in the mix that is broken."""
    broken_per_s = case.other_rate_per_s or case.updates_per_s
    return case.expected * case.updates_per_s / broken_per_s


def break_once(case, folder, n, start):
    most = min(round(held_at(case) * 4), 18_000)
    if case.other_rate_per_s:
        case = replace(case, updates_per_s=case.other_rate_per_s)
    with server(case, folder, f"break-{n}") as (process, host, port):
        if case.breaking == "stall":
            os.kill(process.pid, signal.SIGSTOP)
        finished = subprocess.run(
            [
                *(sys.executable, str(BREAKER), "--host", host, "--port", str(port)),
                *("--mode", case.breaking),
                *("--start", str(max(10, round(start)))),
                *("--most", str(most)),
                *("--hold-s", str(case.hold_s), "--updates-per-s", str(case.updates_per_s)),
                *("--slow-ratio", str(case.slow_readers_ratio)),
                *("--slo-ms", str(case.slo_ms)),
                *("--growth", "1.03" if case.hold_s else "1.004"),
                *("--at-once", str(case.breaks_at_once)),
                *(["--tls"] if case.tls else []),
                *(["--deflate"] if case.is_deflated else []),
                *("--path", "/sub/updates" if case.server == "nginx" else "/ws"),
            ],
            capture_output=True,
            text=True,
            timeout=300,
            check=True,
        )
    return int(finished.stdout)


def examine(case):
    """Return the result of a case: prediction, its hash, then the truth."""
    began_s = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="validation-") as name:
        folder = Path(name)
        prediction = predict(case, folder)
        frozen = hashlib.sha256(json.dumps(prediction, sort_keys=True).encode()).hexdigest()
        print(
            f"{case.name}: predicted {prediction.get('capacity', {}).get('mid')}, sha256 {frozen[:12]}",
            flush=True,
        )
        truths, start = [], held_at(case) * 0.6
        for n in range(BREAKS):
            truths.append(break_once(case, folder, n, start))
            start = truths[-1] * 0.85  # Where it begins only saves time.
    return {
        "case": case.name,
        "server": case.server,
        "limit": case.limit,
        "kind": case.kind,
        "fraction": case.fraction,
        "seed": case.seed,
        "binding": case.binding,
        "sha256": frozen,
        "prediction": prediction,
        "truths": truths,
        "truth": statistics.median(truths),
        "seconds": round(time.monotonic() - began_s),
        "at": round(time.time()),
    }


def results():
    if not RESULTS.exists():
        return []
    return [json.loads(line) for line in RESULTS.read_text().splitlines()]


def run(case):
    """Examine a case and write down its result, or say why there is none."""
    try:
        result = examine(case)
    except CannotPlantError as error:
        print(f"{case.name}: skipped: {error}", flush=True)
        return
    except (subprocess.SubprocessError, RuntimeError, OSError, ValueError) as error:
        print(f"{case.name}: failed: {error!r}"[:400], flush=True)
        return
    with RESULTS.open("a") as file:
        file.write(json.dumps(result) + "\n")
    predicted = result["prediction"].get("capacity", {}).get("mid")
    off = f"{predicted / result['truth'] - 1:+.1%}" if predicted and result["truth"] else "-"
    print(
        f"{case.name}: {result['prediction'].get('binding')} {predicted} broke {result['truths']} "
        f"error {off} in {result['seconds']} s",
        flush=True,
    )


def run_all(cases, ends_s):
    """Run each case in a process of its own, two at a time of those that may have company."""

    def run_apart(case):
        if time.monotonic() < ends_s:
            argv = [sys.executable, __file__, glob.escape(case.name)]
            subprocess.run(argv, check=False)

    for lanes in (2, 1):
        with ThreadPoolExecutor(lanes) as pool:
            mine = [case for case in cases if case.may_have_company == (lanes == 2)]
            try:
                list(pool.map(run_apart, mine))
            except KeyboardInterrupt:
                pool.shutdown(cancel_futures=True)
                raise
    if time.monotonic() > ends_s:
        print("the time is over; run it again to go on")


def main(patterns):
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    ends_s = time.monotonic() + 60 * float(os.environ.get("CAPACITY_VALIDATION_MINUTES", "180"))
    done = {result["case"] for result in results()}
    cases = [
        case
        for case in all_cases()
        if case.name not in done and any(fnmatch.fnmatch(case.name, each) for each in patterns)
    ]
    if len(cases) == 1:
        run(cases[0])
    else:
        run_all(cases, ends_s)


if __name__ == "__main__":
    try:
        main(sys.argv[1:] or ["*"])
    except KeyboardInterrupt:
        sys.exit(130)
