"""How long the live page's answers take while 10,000 users run: python tests/benchmarks/live_page.py

Starts the bundled exchange, an agent and Locust with one worker on loopback, and asks for the page and
for its data again and again on the plateau. The aim is a median below 50 ms, beside a worker that is busy.
"""

import resource
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import requests

USERS, ASKED, PAUSE_S = 10_000, 60, 0.25
AIM_MS = 50.0
EXCHANGE, AGENT, PAGE, MASTER = 24380, 24381, 24389, 24357
ROOT = Path(__file__).parent.parent.parent
TARGET = f"""\
target: 1
name: many
host: 127.0.0.1
port: {EXCHANGE}
dialect: deribit
symbols: [BTC-PERPETUAL]
channels: [ticker]
agent: {{url: "http://127.0.0.1:{AGENT}"}}
"""
PROFILE = f"""\
profile: 1
name: many
kind: ramp
levels: [{USERS // 5}, {USERS}]
connects_per_s: 800
settle_s: 2
plateau_s: 45
mix: {{subscriptions_per_connection: 1, requests_per_s_per_connection: 0}}
"""


def started(stack, folder, *arguments):
    """Start a program of ours, ended with the stack; its output goes to a file in *folder*."""
    out = stack.enter_context((folder / "output.txt").open("a"))
    process = subprocess.Popen(
        [sys.executable, "-m", *map(str, arguments)], cwd=folder, stdout=out, stderr=out
    )
    stack.callback(process.wait, 30)
    stack.callback(process.send_signal, signal.SIGTERM)
    return process


def main():
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for kind, text in (("targets", TARGET), ("profiles", PROFILE)):
            (folder / "config" / kind).mkdir(parents=True)
            (folder / "config" / kind / "many.yaml").write_text(text)
        exchange = started(
            stack,
            folder,
            "capacity.cli.main",
            "exchange",
            "--port",
            EXCHANGE,
            "--updates-per-s",
            "0.2",
        )
        time.sleep(3)
        started(stack, folder, "capacity.monitor", "--pid", exchange.pid, "--listen", AGENT)
        ports = ("--web-port", PAGE, "--master-bind-port", MASTER, "--master-port", MASTER)
        here = ("--web-host", "127.0.0.1", "--master-bind-host", "127.0.0.1", "--processes", "1")
        asked = ("--capacity-target", "many", "--capacity-profile", "many")
        started(stack, folder, "locust", "-f", ROOT / "locustfiles", *here, *ports, *asked)
        base = f"http://127.0.0.1:{PAGE}/capacity/"
        time.sleep(6)
        requests.post(f"{base}start", timeout=30).raise_for_status()
        deadline_s = time.monotonic() + 240
        while (data := requests.get(f"{base}data", timeout=30).json())["open_connections"] != USERS:
            if time.monotonic() > deadline_s or data["is_bad"]:
                raise SystemExit(f"{data['status']}\n{(folder / 'output.txt').read_text()[-2000:]}")
            time.sleep(1)
        worst = max(measured(base, path) for path in ("data", ""))
        requests.post(f"{base}stop", timeout=30)
    return int(worst > AIM_MS)


def measured(base, path):
    """Return the median time of an answer in milliseconds."""
    times_ms = []
    for _ in range(ASKED):
        began_s = time.perf_counter()
        answer = requests.get(base + path, timeout=30)
        times_ms.append(1000 * (time.perf_counter() - began_s))
        answer.raise_for_status()
        time.sleep(PAUSE_S)
    times_ms.sort()
    median_ms = times_ms[len(times_ms) // 2]
    print(
        f"/capacity/{path}: {USERS} users, {len(answer.content)} bytes, median {median_ms:.1f} ms,"
        f" p95 {times_ms[int(0.95 * len(times_ms))]:.1f} ms, longest {times_ms[-1]:.1f} ms"
    )
    return median_ms


if __name__ == "__main__":
    sys.exit(main())
