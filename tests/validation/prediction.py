"""What the product says of a case: a safe run against the server under its limit, and the plan.

A case with a fraction is told how far to go. One without is measured as shipped: `--profile safe` as it
is, and a target file with what an operator knows.
"""

import datetime as dt
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import yaml
from advised import STORMS, predicted_arrivals, predicted_for_other_mix
from baselines import rules_of_thumb
from evidence import evidence_of
from planting import agent, certificate_in, server
from watch import Watch

ROOT = Path(__file__).parents[2]
SAFE = ROOT / "config" / "profiles" / "safe.yaml"
RUNS = ROOT / "reports" / "runs" / "validation"
"""The safe runs, to look into a miss."""
PUSH = Path(__file__).with_name("push.yaml")
DIALECTS = {
    "url": "url-subscribe",
    "stomp": "stomp",
    "mqtt": "mqtt",
    "xmpp": "xmpp",
}
"""Protocol -> dialect, as it is shipped."""


def profile_of(case):
    """Return a profile that goes up to the case's fraction of where its limit should bite."""
    common = {
        "profile": 1,
        "name": "validation",
        "connects_per_s": 200,
        "settle_s": case.settle_s,
        "plateau_s": case.plateau_s,
        "ramp_timeout_s": 10,
        "poll_interval_s": 1,
        "mix": {
            "subscriptions_per_connection": 1,
            "requests_per_s_per_connection": 0,
            "slow_readers_ratio": case.slow_readers_ratio,
        },
    }
    top = case.expected * case.fraction
    if case.breaking in STORMS:
        rate_per_s = max(1, round(top))
        levels = [max(15, 3 * rate_per_s) * n for n in range(1, 6)]
        storm = {"connects_per_s": rate_per_s, "arrivals": "together"}
        return {**common, **storm, "kind": "ramp", "levels": levels}
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


def dialect_of(case, folder):
    """Return the dialect's name or path; one that offers compression is written into *folder*."""
    if case.protocol in DIALECTS:
        return DIALECTS[case.protocol]
    if not case.is_deflated:
        return str(PUSH)
    path = folder / "push.yaml"
    dialect = yaml.safe_load(PUSH.read_text())
    dialect["ws"]["compression"] = "deflate"
    path.write_text(yaml.safe_dump(dialect))
    return str(path)


def target_of(case, host, port, agent_url, dialect, certificate=None):
    return {
        "target": 1,
        "name": "validation",
        "host": host,
        "port": port,
        "dialect": dialect,
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


def capacity(*arguments, cwd, timeout_s=240):
    return subprocess.run(
        [sys.executable, "-m", "capacity.cli.main", *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )


def predict(case, folder):
    """Return what the product says from the safe run, and what the rules of thumb would say."""
    with (
        server(case, folder, "safe") as (process, host, port, _groups),
        agent(process.pid, folder) as url,
    ):
        certificate = certificate_in(folder, host) if case.tls else None
        target = target_of(case, host, port, url, dialect_of(case, folder), certificate)
        measured = measure(target, folder, profile_of(case))
        harmed = process.poll() is not None
    if (folder / "run").exists():
        shutil.copytree(folder / "run", RUNS / case.name, dirs_exist_ok=True)
    return {**planned(case, folder, measured), "target_failed": harmed}


def predict_as_shipped(case, folder, kept=None):
    """Return what the product says, and what its safe run did: to the target, and by its record.

    The run directory is copied to *kept*, by default to one of the runs of the validation.
    """
    began_s = time.monotonic()
    with (
        server(case, folder, "safe") as (process, host, port, groups),
        agent(process.pid, folder) as url,
        Watch(process, port, groups, cpu_ratio=case.cpu_ratio) as watch,
    ):
        certificate = certificate_in(folder, host) if case.tls else None
        target = target_of(case, host, port, url, dialect_of(case, folder), certificate)
        if case.has_rest:
            target["rest"] = {"operation": "snapshot"}
        measured = measure(target, folder)
    lasted_s = time.monotonic() - began_s
    prediction = planned(case, folder, measured)
    harm = {"seconds": round(lasted_s, 1), **watch.seen}
    if (folder / "run").exists():
        kept = kept or RUNS / "as-shipped" / f"{case.name}-{round(time.time())}"
        shutil.copytree(folder / "run", kept)
        slo_s = case.slo_ms / 1e3 if case.slo_ms else None
        harm |= evidence_of(folder / "run", case.updates_per_s, slo_s)
    return {**prediction, "target_failed": watch.seen["target_died"]}, harm


def measure(target, folder, profile=None):
    """Run `capacity measure` with a profile, or as shipped with the safe one."""
    (folder / "target.yaml").write_text(yaml.safe_dump(target))
    path = SAFE
    if profile is not None:
        path = folder / "profile.yaml"
        path.write_text(yaml.safe_dump(profile))
    return capacity(
        *("measure", "--target", folder / "target.yaml", "--quiet"),
        *("--profile", path, "--run", folder / "run"),
        cwd=folder,
        timeout_s=240 if profile is not None else 1500,
    )


def planned(case, folder, measured):
    """Return the plan's answer to a case."""
    demand = ()
    if case.other_rate_per_s:
        (folder / "demand.yaml").write_text(yaml.safe_dump(demand_of(case)))
        demand = ("--demand", folder / "demand.yaml")
    finished = capacity("plan", folder / "run", "--json", *demand, cwd=folder)
    document = json.loads(finished.stdout or "{}")
    plan = document.get("plan")
    prediction = {
        "measure_exit_code": measured.returncode,
        "measure_said": measured.stderr.strip().splitlines()[-1:] if measured.returncode else [],
        "plan_exit_code": finished.returncode,
    }
    if finished.returncode or plan is None:
        said = document.get("excuse", {}).get("reason") or finished.stderr or finished.stdout
        return {**prediction, "excuse": said.strip()[-400:]}
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
        "statements": [doubt["statement"] for doubt in plan["doubts"]],
        "rules_of_thumb": rules_of_thumb(folder / "run", plan),
    }
