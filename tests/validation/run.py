"""Predicts from a safe run where a server breaks, writes that down, then breaks it three times.

    python tests/validation/run.py [PATTERN...]   the cases whose name matches; all by default

Cases with a result in reports/validation/results.jsonl are not run again. Ends after
CAPACITY_VALIDATION_MINUTES (180).
"""

import datetime as dt
import fnmatch
import hashlib
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import yaml
from advised import STORMS, predicted_arrivals, predicted_for_other_mix
from baselines import rules_of_thumb
from cases import all_cases
from network import CannotPlantError
from planting import agent, certificate_in, server

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "reports" / "validation" / "results.jsonl"
RUNS = ROOT / "reports" / "runs" / "validation"
"""The safe runs, to look into a miss."""
BREAKER = Path(__file__).with_name("breaker.py")
PUSH = Path(__file__).with_name("push.yaml")
UPDATES_PER_S = 2.0
BREAKS = 3


def profile_of(case):
    """Return a profile that goes up to the case's fraction of where its limit should bite."""
    common = {
        "profile": 1,
        "name": "validation",
        "connects_per_s": 200,
        "settle_s": 1.5,
        "plateau_s": case.plateau_s,
        "ramp_timeout_s": 10,
        "poll_interval_s": 1,
        "mix": {"subscriptions_per_connection": 1, "requests_per_s_per_connection": 0},
    }
    top = case.expected * case.fraction
    if case.breaking in STORMS:
        rate_per_s = max(1, round(top))
        levels = [max(15, 3 * rate_per_s) * n for n in range(1, 6)]
        return {**common, "kind": "ramp", "levels": levels, "connects_per_s": rate_per_s}
    counted = case.counted_bound
    if top <= counted * 0.25:
        return {
            **common,
            "kind": "safe",
            "fraction": round(top / counted, 4),
            "levels": 5,
            "guards": {"throttled_ratio": 1.0} if case.cpu_ratio else {},
        }
    levels = [max(1, round(top * share)) for share in (0.16, 0.3, 0.45, 0.6, 0.8, 1.0)]
    return {**common, "kind": "ramp", "levels": levels}


def target_of(case, host, port, agent_url, certificate=None):
    return {
        "target": 1,
        "name": "validation",
        "host": host,
        "port": port,
        "dialect": "url-subscribe" if case.server == "nginx" else str(PUSH),
        "symbols": ["updates"],
        "channels": ["updates"],
        "agent": {"url": agent_url},
        "limits": case.declared,
        "arrival_limit": {"value": case.admitted_per_s, "source": "the bucket"}
        if case.admitted_per_s
        else None,
        **({"tls": True, "certificates": {"ca_file": str(certificate)}} if certificate else {}),
        **(
            {"slo": {"delivery_delay": {"quantile": 0.95, "limit_s": case.slo_ms / 1e3}}}
            if case.slo_ms
            else {}
        ),
    }


def demand_of(case):
    return {
        "demand": 1,
        "name": "validation",
        "connections": 100,
        "as_of": dt.date(2026, 1, 1),
        "lost_instances": 0,
        "mix": {"deliveries_per_s": case.other_rate_per_s},
    }


def capacity(*arguments, cwd):
    return subprocess.run(
        [sys.executable, "-m", "capacity.cli.main", *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def predict(case, folder):
    """Return what the product says from the safe run, and what the rules of thumb would say."""
    with server(case, folder, "safe") as (process, host, port), agent(process.pid, folder) as url:
        certificate = certificate_in(folder) if case.tls else None
        target = target_of(case, host, port, url, certificate)
        (folder / "target.yaml").write_text(yaml.safe_dump(target))
        (folder / "profile.yaml").write_text(yaml.safe_dump(profile_of(case)))
        measured = capacity(
            *("measure", "--target", folder / "target.yaml", "--quiet"),
            *("--profile", folder / "profile.yaml", "--run", folder / "run"),
            cwd=folder,
        )
        harmed = process.poll() is not None
    if (folder / "run").exists():
        shutil.copytree(folder / "run", RUNS / case.name, dirs_exist_ok=True)
    demand = ()
    if case.other_rate_per_s:
        (folder / "demand.yaml").write_text(yaml.safe_dump(demand_of(case)))
        demand = ("--demand", folder / "demand.yaml")
    planned = capacity("plan", folder / "run", "--json", *demand, cwd=folder)
    document = json.loads(planned.stdout or "{}")
    plan = document.get("plan")
    prediction = {
        "measure_exit_code": measured.returncode,
        "measure_said": measured.stderr.strip().splitlines()[-1:] if measured.returncode else [],
        "plan_exit_code": planned.returncode,
        "target_failed": harmed,
    }
    if planned.returncode or plan is None:
        return {**prediction, "excuse": (planned.stderr or planned.stdout).strip()[-400:]}
    if case.breaking in STORMS:
        return {
            **prediction,
            **predicted_arrivals(case, plan),
            "highest_connections": round(plan["advice"]["arrival_cost"].get("tested_per_s", 0)),
            "doubts": [doubt["kind"] for doubt in plan["doubts"]],
            "rules_of_thumb": {},
        }
    if case.other_rate_per_s:
        return {**prediction, **predicted_for_other_mix(plan)}
    return {
        **prediction,
        "capacity": plan["capacity"],
        "safe_capacity": plan["safe_capacity"],
        "binding": plan["binding"],
        "ladder": [
            (wall["resource"], wall["ceiling"]["mid"], wall["binding_probability"])
            for wall in plan["ladder"][:4]
        ],
        "highest_connections": plan["highest_connections"],
        "doubts": [doubt["kind"] for doubt in plan["doubts"]],
        "rules_of_thumb": rules_of_thumb(folder / "run", plan),
    }


def break_once(case, folder, n, start):
    rate_per_s = case.other_rate_per_s or UPDATES_PER_S
    broken = replace(case, options=(*case.options, "--rate-per-s", str(rate_per_s)))
    with server(broken if case.other_rate_per_s else case, folder, f"break-{n}") as (
        process,
        host,
        port,
    ):
        if case.breaking == "stall":
            os.kill(process.pid, signal.SIGSTOP)
        finished = subprocess.run(
            [
                *(sys.executable, str(BREAKER), "--host", host, "--port", str(port)),
                *("--mode", case.breaking),
                *("--start", str(max(10, round(start)))),
                *("--most", str(min(case.expected * 4, 18_000))),
                *("--hold-s", str(case.hold_s), "--updates-per-s", str(rate_per_s)),
                *("--slo-ms", str(case.slo_ms)),
                *("--growth", "1.03" if case.hold_s else "1.004"),
                *("--at-once", str(case.breaks_at_once)),
                *(["--tls"] if case.tls else []),
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
            f"  predicted {prediction.get('capacity', {}).get('mid')}, sha256 {frozen[:12]}",
            flush=True,
        )
        truths, start = [], case.expected * 0.6
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


def main(patterns):
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    ends_s = time.monotonic() + 60 * float(os.environ.get("CAPACITY_VALIDATION_MINUTES", "180"))
    done = {result["case"] for result in results()}
    for case in all_cases():
        if case.name in done or not any(fnmatch.fnmatch(case.name, each) for each in patterns):
            continue
        if time.monotonic() > ends_s:
            print("the time is over; run it again to go on")
            break
        print(case.name, flush=True)
        try:
            result = examine(case)
        except CannotPlantError as error:
            print(f"  skipped: {error}")
            continue
        except (subprocess.SubprocessError, RuntimeError, OSError, ValueError) as error:
            print(f"  failed: {error!r}"[:400], flush=True)
            continue
        with RESULTS.open("a") as file:
            file.write(json.dumps(result) + "\n")
        predicted = result["prediction"].get("capacity", {}).get("mid")
        off = f"{predicted / result['truth'] - 1:+.1%}" if predicted and result["truth"] else "-"
        print(
            f"  {result['prediction'].get('binding')} {predicted} broke {result['truths']} "
            f"error {off} in {result['seconds']} s",
            flush=True,
        )


if __name__ == "__main__":
    try:
        main(sys.argv[1:] or ["*"])
    except KeyboardInterrupt:
        sys.exit(130)
