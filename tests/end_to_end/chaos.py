"""A campaign of faults over short runs, judged by rules: `make chaos`, resumable, the same for one seed.

A trial starts an exchange with an agent and measures it; at some moment something is done to one of
the processes. Whatever that is: the command ends, nothing is left of it, what was recorded loads and
is answered, and the end has an owner. A line of JSON a trial; those that are there are not repeated.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import psutil
import yaml

CAPACITY = [sys.executable, "-m", "capacity.cli.main"]
PROFILE = {
    "profile": 1,
    "name": "chaos",
    "kind": "ramp",
    "levels": [4, 8, 12],
    "connects_per_s": 50,
    "settle_s": 0.5,
    "plateau_s": 2,
    "ramp_timeout_s": 5,
    "mix": {"subscriptions_per_connection": 1, "requests_per_s_per_connection": 0.5},
}
VICTIMS = ("cli", "master", "worker", "agent", "target")
DEEDS = ("kill", "stop for a while", "interrupt")
LONGEST_FAULT_AT_S = 18.0
LONGEST_RUN_S = 120.0
ORPHANS_MAY_LAST_S = 5.0
OWNED = {0, 2, 3, 4, 5, 12, 130, -signal.SIGKILL, -signal.SIGINT}
"""Exit codes that the README explains, and the command's own end by our signal."""


def fault_of(seed, number):
    chance = random.Random(f"{seed}-{number}")
    return {
        "victim": chance.choice(VICTIMS),
        "deed": chance.choice(DEEDS),
        "at_s": round(chance.uniform(0.5, LONGEST_FAULT_AT_S), 2),
        "lasts_s": round(chance.uniform(0.2, 12.0), 2),
    }


def trial(folder, fault):
    """Run one trial in a folder of its own; return what broke a rule, which should be nothing."""
    folder.mkdir(parents=True)
    with ExitStack() as stack:
        others = staged(stack, folder, PROFILE)
        cli = measuring(stack, folder)
        return [*_hit(cli, others, fault), *_judged(folder, cli)]


def staged(stack, folder, profile):
    """Start an exchange with its agent, and write what measures it; return their process numbers by name."""
    target = _started(stack, "exchange", "--port", "0", ready="exchange ready on http://")
    agent = _started(
        stack, "agent", "--pid", str(target.pid), "--listen", "0", ready="agent ready on http://"
    )
    settings = {
        "target": 1,
        "name": "chaos",
        "host": "127.0.0.1",
        "port": int(target.ready.rpartition(":")[2]),
        "dialect": "deribit",
        "symbols": ["BTC-PERPETUAL"],
        "channels": ["ticker"],
        "rest": {"operation": "ticker"},
        "agent": {"url": f"http://{agent.ready}"},
    }
    (folder / "target.yaml").write_text(yaml.safe_dump(settings))
    (folder / "profile.yaml").write_text(yaml.safe_dump(profile))
    return {"agent": agent.pid, "target": target.pid}


def measuring(stack, folder):
    """Start a run of two workers that measures what is staged in *folder*, and return its command."""
    argv = [*CAPACITY, "measure", "--target", "target.yaml", "--profile", "profile.yaml"]
    with (folder / "said.txt").open("wb") as said:
        cli = stack.enter_context(
            subprocess.Popen(
                [*argv, "--workers", "2", "--run", "run"], cwd=folder, stdout=said, stderr=said
            )
        )
    stack.callback(cli.kill)
    return cli


def _started(stack, command, *options, ready):
    process = stack.enter_context(
        subprocess.Popen([*CAPACITY, command, *options], stderr=subprocess.PIPE, text=True)
    )
    stack.callback(process.kill)
    process.ready = process.stderr.readline().strip().partition(ready)[2]
    assert process.ready, f"the {command} did not start"
    return process


def _hit(cli, others, fault):
    """Do the deed at its moment, wait for the end, and yield who outlives the command."""
    began_s, family = time.monotonic(), {}
    while time.monotonic() - began_s < fault["at_s"] and cli.poll() is None:
        family |= {each.pid: each for each in _family_of(cli.pid)}
        time.sleep(0.1)
    victim = _victim(cli, others, fault["victim"])
    if victim is not None:
        _do(victim, fault)
    try:
        while cli.poll() is None and time.monotonic() - began_s < LONGEST_RUN_S:
            family |= {each.pid: each for each in _family_of(cli.pid)}
            time.sleep(0.1)
        if cli.poll() is None:
            yield f"the command has not ended after {LONGEST_RUN_S:.0f} s"
            cli.kill()
        _gone, left = psutil.wait_procs(list(family.values()), ORPHANS_MAY_LAST_S)
        for each in left:
            yield f"process {each.pid} outlives the command"
            each.kill()
    finally:
        if fault["deed"] == "stop for a while" and victim is not None and victim.is_running():
            victim.resume()


def _family_of(pid):
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _victim(cli, others, name):
    if name in others:
        return psutil.Process(others[name])
    try:
        command = psutil.Process(cli.pid)
        masters = command.children()
        workers = masters[0].children() if masters else []
    except psutil.NoSuchProcess:
        return None
    found = {"cli": [command], "master": masters, "worker": workers}[name]
    return found[-1] if found else None


def _do(victim, fault):
    try:
        if fault["deed"] == "kill":
            victim.kill()
        elif fault["deed"] == "interrupt":
            victim.send_signal(signal.SIGINT)
        else:
            victim.suspend()
            time.sleep(fault["lasts_s"])
            victim.resume()
    except psutil.NoSuchProcess:
        pass


def _judged(folder, cli):
    """Yield what is wrong with how it ended and with what it left."""
    said = (folder / "said.txt").read_text(errors="replace")
    if "Traceback" in said:
        yield f"a traceback: {said.strip().splitlines()[-1]}"
    if cli.returncode not in OWNED:
        yield f"exit code {cli.returncode} has no owner: {said.strip()[-200:]}"
    elif cli.returncode > 0 and "capacity: " not in said:
        yield f"exit code {cli.returncode} without a sentence"
    if not (folder / "run" / "run.json").exists():
        return
    planned = subprocess.run(
        [*CAPACITY, "plan", "run", "--json"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=LONGEST_RUN_S,
        check=False,
    )
    if planned.returncode not in {0, 5} or "Traceback" in planned.stderr:
        yield f"the run is not answered ({planned.returncode}): {planned.stderr.strip()[-200:]}"
    elif planned.returncode == 0 and cli.returncode != 0:
        plan = json.loads(planned.stdout).get("plan") or {}
        if not plan.get("doubts"):
            yield "a run that was cut off has a plan without a caveat"


def campaign(folder, seed, trials):
    """Make the trials that are not there yet; return all that broke a rule, by trial."""
    folder.mkdir(parents=True, exist_ok=True)
    results = folder / "chaos.jsonl"
    lines = results.read_text().splitlines() if results.exists() else []
    known = {line["trial"]: line for line in map(json.loads, lines) if line["seed"] == seed}
    for number in range(trials):
        if number in known:
            continue
        fault = fault_of(seed, number)
        broken = list(trial(folder / f"{seed}-{number:04d}-{os.getpid()}", fault))
        known[number] = {"seed": seed, "trial": number, "fault": fault, "broken": broken}
        with results.open("a") as file:
            file.write(json.dumps(known[number]) + "\n")
        print(number, fault, broken or "held", flush=True)
    return {number: line["broken"] for number, line in known.items() if line["broken"]}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--folder", type=Path, default=Path("reports/chaos"))
    asked = parser.parse_args()
    sys.exit(bool(campaign(asked.folder.absolute(), asked.seed, asked.trials)))
