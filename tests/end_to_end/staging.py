"""An exchange with its agent on this host, and a short run that measures it: for those who look at its end."""

import subprocess
import sys

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
LONGEST_RUN_S = 120.0


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
