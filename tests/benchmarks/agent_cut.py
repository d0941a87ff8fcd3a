"""Cuts the way to the agent for two minutes while it is measured, and counts the samples that lack.

The generator runs in a network namespace with two links: one to the exchange, one to the agent, and
that one is taken down. Needs root. `make bench` prints the result.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

import yaml

from capacity.recording.run_directory import load

OUTPUT = Path("reports/benchmarks/agent_cut.json")
CUT_S = 120
NAME = f"cut{os.getpid()}"
PROFILE = {
    "profile": 1,
    "name": "cut",
    "kind": "ramp",
    "levels": [50],
    "settle_s": 1,
    "plateau_s": CUT_S + 30,
}


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True)


def link(number: int) -> None:
    """Join this namespace (address .1) and the generator's (.2) by one more link."""
    ours, theirs = f"{NAME}-{number}", f"{NAME}_{number}"
    ip("link", "add", ours, "type", "veth", "peer", "name", theirs)
    ip("link", "set", theirs, "netns", NAME)
    ip("addr", "add", f"10.91.{number}.1/24", "dev", ours)
    ip("link", "set", ours, "up")
    ip("-n", NAME, "addr", "add", f"10.91.{number}.2/24", "dev", theirs)
    ip("-n", NAME, "link", "set", theirs, "up")


def started(*arguments: str) -> tuple[subprocess.Popen[str], int]:
    process = subprocess.Popen(
        [sys.executable, "-m", *arguments], stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    for line in process.stderr:
        if found := re.search(r"ready on http://[\d.]+:(\d+)", line):
            return process, int(found[1])
    sys.exit(f"{arguments[0]} did not start")


def measured(folder: Path) -> Path:
    token = folder / "token"
    token.write_text("a-long-enough-token-of-32-letters")
    token.chmod(0o600)
    exchange, port = started("capacity.cli.main", "exchange", "--host", "10.91.1.1", "--port", "0")
    agent, agent_port = started(
        *("capacity.monitor", "--pid", str(exchange.pid), "--listen", "0"),
        *("--bind", "10.91.2.1", "--allow-plain-http", "--token-file", str(token)),
    )
    target = {
        "target": 1,
        "name": "cut",
        "host": "10.91.1.1",
        "port": port,
        "dialect": "deribit",
        "symbols": ["BTC-PERPETUAL"],
        "channels": ["ticker"],
        "agent": {"url": f"http://10.91.2.1:{agent_port}", "token_file": str(token)},
        "rest": {"operation": "ticker"},
    }
    (folder / "target.yaml").write_text(yaml.safe_dump(target))
    (folder / "profile.yaml").write_text(yaml.safe_dump(PROFILE))
    run = folder / "run"
    measuring = subprocess.Popen(
        [
            *("ip", "netns", "exec", NAME, sys.executable, "-m", "capacity.cli.main", "measure"),
            *("--target", str(folder / "target.yaml"), "--quiet"),
            *("--profile", str(folder / "profile.yaml"), "--run", str(run)),
        ]
    )
    try:
        while not (run / "steps.jsonl").exists() and measuring.poll() is None:
            time.sleep(0.5)
        time.sleep(15)
        ip("link", "set", f"{NAME}-2", "down")
        time.sleep(CUT_S)
        ip("link", "set", f"{NAME}-2", "up")
        measuring.wait(120)
    finally:
        for process in (measuring, agent, exchange):
            process.kill()
            process.wait()
    return run


def main() -> None:
    ip("netns", "add", NAME)
    try:
        ip("-n", NAME, "link", "set", "lo", "up")
        link(1)
        link(2)
        with tempfile.TemporaryDirectory() as folder:
            record = load(measured(Path(folder)))
    finally:
        ip("netns", "del", NAME)
    found = {
        "cut_s": CUT_S,
        "samples": len(record.samples),
        "missing": sum(after.seq - before.seq - 1 for before, after in pairwise(record.samples)),
        "longest_interval_s": max(sample.interval_s for sample in record.samples),
        "events": [event.kind for event in record.events if event.kind.startswith("agent")],
    }
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    OUTPUT.write_text(json.dumps(found, indent=2) + "\n")
    print(json.dumps(found))


if __name__ == "__main__":
    main()
