"""Predicts from a safe run where a server breaks, writes that down, then breaks it.

    python tests/validation/run.py [PATTERN...]          as shipped: the safe profile as it is
    python tests/validation/run.py --told [PATTERN...]   told a quarter or half of the truth

The cases whose name matches; all by default. As shipped, a case with a result of the present commit and
profile is not run again, told is not run again with any; --again runs it in any case. Nothing is
replaced: results are appended to shipped.jsonl and results.jsonl in reports/validation/. --list shows
the cases in their order. Ends after CAPACITY_VALIDATION_MINUTES (180).
"""

import argparse
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

import results
from cases import all_cases
from cases_as_shipped import cases_as_shipped
from network import CannotPlantError
from planting import check, server
from prediction import predict, predict_as_shipped
from provenance import mix_as_shipped, provenance

BREAKER = Path(__file__).with_name("breaker.py")
BREAKS = 3
PATHS = {"url": "/sub/updates", "mqtt": "/mqtt"}
"""Protocol -> where it is spoken, if not at /ws."""


def held_at(case):
    """Return where the limit should bite in the mix that is broken."""
    broken_per_s = case.other_rate_per_s or case.updates_per_s
    return case.expected * case.updates_per_s / broken_per_s


def growth_of(case):
    """Return by how much the load grows: in bigger steps where each takes seconds."""
    if case.breaking == "burst":
        return "1.05"
    return "1.03" if case.hold_s else "1.004"


def break_once(case, folder, n, start, most=0):
    """Return what a case's server held at most, looked for from *start* up to *most*."""
    most = most or min(round(held_at(case) * 4), 18_000)
    if case.other_rate_per_s:
        case = replace(case, updates_per_s=case.other_rate_per_s)
    with server(case, folder, f"break-{n}") as (process, host, port, _groups):
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
                *("--polls-per-s", str(case.polls_per_s)),
                *("--slo-ms", str(case.slo_ms)),
                *("--growth", growth_of(case)),
                *("--at-once", str(case.breaks_at_once)),
                *(["--tls"] if case.tls else []),
                *(["--deflate"] if case.is_deflated else []),
                *("--protocol", case.protocol, "--path", PATHS.get(case.protocol, "/ws")),
            ],
            capture_output=True,
            text=True,
            timeout=600,
            check=True,
        )
    return int(finished.stdout)


def broken(case, folder, times):
    """Return where a case's server broke, each time anew."""
    truths, start = [], held_at(case) * 0.6
    for n in range(times):
        truth = break_once(case, folder, n, start)
        if (
            case.breaking == "ramp" and truth < start
        ):  # So many at once were too many: from where nothing is at stake.
            truth = max(truth, break_once(case, folder, f"{n}-lower", start * 0.5))
        truths.append(truth)
        start = truths[-1] * 0.85  # Where it begins only saves time.
    return truths


def identity(case):
    return {
        "case": case.name,
        "server": case.server,
        "limit": case.limit,
        "kind": case.kind,
        "fraction": case.fraction,
        "seed": case.seed,
        "binding": case.binding,
    }


def frozen(case, prediction):
    """Return the hash of a prediction, said before anything is broken."""
    digest = hashlib.sha256(json.dumps(prediction, sort_keys=True).encode()).hexdigest()
    predicted = prediction.get("capacity", {}).get("mid")
    print(f"{case.name}: predicted {predicted}, sha256 {digest[:12]}", flush=True)
    return digest


def examine(case):
    """Return the result of a case that was told how far to go: prediction, its hash, the truth."""
    began_s = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="validation-") as name:
        folder = Path(name)
        prediction = predict(case, folder)
        digest = frozen(case, prediction)
        truths = broken(case, folder, BREAKS)
    return {
        **identity(case),
        "sha256": digest,
        "prediction": prediction,
        "truths": truths,
        "truth": statistics.median(truths),
        "seconds": round(time.monotonic() - began_s),
        "at": round(time.time()),
    }


def examine_as_shipped(case):
    """Return the result of a case as shipped.

    Truths that were recorded for the same sizes and the same mix, one without polls, count beside one
    that is fresh; otherwise the server is broken three times.
    """
    began_s = time.monotonic()
    check(case)
    mix = mix_as_shipped()
    polls_per_s = mix["requests_per_s_per_connection"] if case.has_rest else 0.0
    case = replace(case, polls_per_s=polls_per_s)
    recorded = results.recorded_truths(case, results.read(results.TOLD))
    # Arrivals are broken without polls.
    same_mix = not polls_per_s or case.kind == "arrivals"
    same_mix = same_mix and case.kind not in {"memory", "heap"}  # Told, they are held for no time.
    with tempfile.TemporaryDirectory(prefix="validation-") as name:
        folder = Path(name)
        made_by = provenance(case)
        prediction, harm = predict_as_shipped(case, folder)
        digest = frozen(case, prediction)
        breaking = case
        if case.kind == "arrivals":
            breaking = replace(case, polls_per_s=0.0)
        fresh = broken(breaking, folder, 1 if recorded and same_mix else BREAKS)
    truths = fresh + (recorded if same_mix else [])
    return {
        **identity(case),
        **made_by,
        "sha256": digest,
        "prediction": prediction,
        "harm": harm,
        "fresh_truths": fresh,
        "recorded_truths": recorded,
        "recorded_count": same_mix,
        "truths": truths,
        "truth": statistics.median(truths),
        "seconds": round(time.monotonic() - began_s),
        "at": round(time.time()),
    }


def run(case):
    """Examine a case and write down its result, or say why there is none."""
    try:
        result = examine(case) if case.fraction else examine_as_shipped(case)
    except CannotPlantError as error:
        print(f"{case.name}: skipped: {error}", flush=True)
        return
    except (subprocess.SubprocessError, RuntimeError, OSError, ValueError) as error:
        print(f"{case.name}: failed: {error!r}"[:400], flush=True)
        return
    results.append(results.TOLD if case.fraction else results.SHIPPED, result)
    predicted = result["prediction"].get("capacity", {}).get("mid")
    off = f"{predicted / result['truth'] - 1:+.1%}" if predicted and result["truth"] else "-"
    print(
        f"{case.name}: {result['prediction'].get('binding')} {predicted} broke {result['truths']} "
        f"error {off} in {result['seconds']} s",
        flush=True,
    )


def run_all(cases, ends_s, options):
    """Run each case in a process of its own, two at a time of those that may have company.

    In the order of the cases: those before which the machine has to be empty wait until it is.
    """

    def run_apart(case):
        if time.monotonic() < ends_s:
            argv = [sys.executable, __file__, "--again", *options, glob.escape(case.name)]
            subprocess.run(argv, check=False)

    for lanes, several in in_turn(cases):
        with ThreadPoolExecutor(lanes) as pool:
            try:
                list(pool.map(run_apart, several))
            except KeyboardInterrupt:
                pool.shutdown(cancel_futures=True)
                raise
    if time.monotonic() > ends_s:
        print("the time is over; run it again to go on")


def in_turn(cases):
    """Return lanes and cases, each round's company first and then those that must be alone."""
    turns = []
    for of_round in rounds(cases):
        for lanes in (2, 1):
            several = [case for case in of_round if case.may_have_company == (lanes == 2)]
            turns += [(lanes, several)] if several else []
    return turns


def rounds(cases):
    """Return the cases parted by the round they belong to, one round where they are told."""
    numbers = sorted({case.round for case in cases})
    return [[case for case in cases if case.round == number] for number in numbers]


def is_done(case, rows, now):
    """Tell whether a case has a result: of this commit and profile, where it is as shipped."""
    mine = [row for row in rows if row["case"] == case.name]
    if case.fraction:
        return bool(mine)
    wanted = (now["commit"], now["profile_sha256"])
    return any((row["commit"], row["profile_sha256"]) == wanted for row in mine)


def main(arguments):
    parser = argparse.ArgumentParser()
    parser.add_argument("patterns", nargs="*", default=["*"])
    parser.add_argument("--told", action="store_true")
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args(arguments)
    ends_s = time.monotonic() + 60 * float(os.environ.get("CAPACITY_VALIDATION_MINUTES", "180"))
    cases = [
        case
        for case in (all_cases() if options.told else cases_as_shipped())
        if any(fnmatch.fnmatch(case.name, each) for each in options.patterns or ["*"])
    ]
    if options.list:
        for lanes, several in in_turn(cases):
            for case in several:
                print(f"round {case.round}, {lanes} at a time: {case.name}")
        return
    if not options.again and cases:
        rows = results.read(results.TOLD if options.told else results.SHIPPED)
        now = provenance(cases[0])
        cases = [case for case in cases if not is_done(case, rows, now)]
    if len(cases) == 1:
        run(cases[0])
    else:
        run_all(cases, ends_s, ["--told"] if options.told else [])


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(130)
