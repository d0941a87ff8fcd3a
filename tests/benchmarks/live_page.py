"""What the live page costs master and browser: python tests/benchmarks/live_page.py [CONNECTIONS [PER_USER [PER_S]]]

Starts the bundled exchange, an agent and Locust on loopback, a process of the exchange and a worker for each
15,000 connections. Chromium shows the page, which renews itself each second, from the first connection to the
last one, then on the last plateau, then Locust's own page with the tab; at last page and data are asked for
again and again. The aims: an answer in 50 ms (median, beside a worker that is busy), 2 % of a core of the
master, no task of the browser beyond 50 ms of its processor: by the clock it is longer where others run as
well. What is on the page does not grow with the connections, nor with the hours. 10,000 take eight minutes; tens of thousands
need idle cores, or the exchange lets connections go.
"""

import math
import resource
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, suppress
from pathlib import Path

import psutil
import requests
from browser import open_page

CONNECTIONS = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
PER_USER = int(sys.argv[2]) if len(sys.argv) > 2 else 1
CONNECTS_PER_S = int(sys.argv[3]) if len(sys.argv) > 3 else 200
PROCESSES = math.ceil(CONNECTIONS / 15_000)
PLATEAU_S = 90
ASKED, PAUSE_S = 40, 0.1
SHOWN_S, RENEWED_S = 20.0, 1.0
AIM_MS, MOST_OF_CORE, LONGEST_TASK_MS = 50.0, 0.02, 50.0
WATCH = """(() => { window.tasks = []; window.renewed = 0;
  new PerformanceObserver(l => tasks.push(...l.getEntries().map(e => e.duration))).observe({type: "longtask"});
  new MutationObserver(() => { renewed += 1; }).observe(document.body, {childList: true, subtree: true}); })()"""
EXCHANGE, AGENT, PAGE, MASTER = 24380, 24381, 24389, 24357
BASE = f"http://127.0.0.1:{PAGE}/capacity/"
ROOT = Path(__file__).parent.parent.parent
TARGET = f"""\
target: 1
name: many
host: 127.0.0.1
port: {EXCHANGE}
dialect: deribit
symbols: [BTC-PERPETUAL]
channels: [ticker]
source_addresses: [127.0.1.0/29]
agent: {{url: "http://127.0.0.1:{AGENT}"}}
"""
PROFILE = f"""\
profile: 1
name: many
kind: ramp
levels: [{CONNECTIONS // 100}, {CONNECTIONS // 50}, {CONNECTIONS}]
connects_per_s: {CONNECTS_PER_S}
connections_per_user: {PER_USER}
settle_s: 2
plateau_s: {PLATEAU_S}
ramp_timeout_s: {60 + 2 * CONNECTIONS / CONNECTS_PER_S}
mix: {{subscriptions_per_connection: 1, requests_per_s_per_connection: 0}}
"""


def started(stack, folder, *arguments):
    """Start a program of ours, ended with the stack; its output goes to a file in *folder*."""
    out = stack.enter_context((folder / "output.txt").open("a"))
    process = subprocess.Popen(
        [sys.executable, "-m", *map(str, arguments)], cwd=folder, stdout=out, stderr=out
    )
    stack.callback(process.wait, 60)
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
        exchange = start_exchange(stack, folder)
        started(stack, folder, "capacity.monitor", "--pid", exchange.pid, "--listen", AGENT)
        ports = ("--web-port", PAGE, "--master-bind-port", MASTER, "--master-port", MASTER)
        here = ("--web-host", "127.0.0.1", "--master-bind-host", "127.0.0.1")
        asked = ("--capacity-target", "many", "--capacity-profile", "many")
        workers = ("--processes", PROCESSES)
        loaded = ("-f", ROOT / "locustfiles")
        master = started(stack, folder, "locust", *loaded, *workers, *here, *ports, *asked)
        there = f"http://127.0.0.1:{PAGE}/worker-count"
        answered(there, lambda answer: answer.json()["worker_count"] == PROCESSES)
        requests.post(f"{BASE}start", timeout=30).raise_for_status()
        longest_ms = shown_throughout(lambda: reached(folder))
        worst_ms = max(measured(BASE, path) for path in ("data", ""))
        of_core = cost(BASE, psutil.Process(master.pid))
        requests.post(f"{BASE}stop", timeout=30)
    return int(worst_ms > AIM_MS or of_core > MOST_OF_CORE or longest_ms > LONGEST_TASK_MS)


def start_exchange(stack, folder):
    options = ("--port", EXCHANGE, "--processes", PROCESSES, "--updates-per-s", "0.02")
    exchange = started(stack, folder, "capacity.cli.main", "exchange", *options)
    answered(f"http://127.0.0.1:{EXCHANGE}/status", lambda _: True)
    return exchange


def answered(address, is_right):
    """Wait until *address* answers as it should."""
    deadline_s = time.monotonic() + 120
    while time.monotonic() < deadline_s:
        with suppress(requests.RequestException):
            if is_right(requests.get(address, timeout=30)):
                return
        time.sleep(0.2)
    raise SystemExit(f"{address} did not answer in time")


def reached(folder):
    """Wait for the last plateau and return how many connections are open on it."""
    deadline_s = time.monotonic() + 4 * PLATEAU_S + 4 * CONNECTIONS / CONNECTS_PER_S
    while (
        "step 4 of 4, plateau"
        not in (data := requests.get(f"{BASE}data", timeout=30).json())["status"]
    ):
        if time.monotonic() > deadline_s or data["is_bad"] or not data["is_busy"]:
            raise SystemExit(f"{data['status']}\n{(folder / 'output.txt').read_text()[-2000:]}")
        time.sleep(1)
    return data["open_connections"]


def shown_throughout(wait):
    """Return the longest task of the browser in milliseconds of its processor, from the start on.

    *wait* returns when all connections are open, with their count.
    """
    with open_page() as page:
        page.show(BASE)
        page.tell(WATCH)
        began_s = time.monotonic()
        count = wait()
        while_opened = told(page.tell("tasks"))
        print(
            f"browser while {count:,} connections were opened: {page.tell('renewed')} parts renewed in"
            f" {time.monotonic() - began_s:.0f} s, {while_opened}"
        )
        longest_ms = held(page, "/capacity/")
        page.show(f"http://127.0.0.1:{PAGE}/?tab=capacity")
        page.wait_for(
            "document.querySelector('iframe')?.contentDocument?.querySelector('[data-part]')"
        )
        page.tell(WATCH)
        held(page, "Locust's page with the tab")
    return longest_ms


def told(tasks):
    """Return in words which of *tasks*, in milliseconds by the clock, the browser called long."""
    return (
        f"{len(tasks)} tasks beyond 50 ms, at most {max(tasks):.0f} ms"
        if tasks
        else "no task of 50 ms"
    )


def held(page, name):
    """Return the longest task while the page is shown for some time, in milliseconds of its processor."""
    page.tell("tasks.length = 0; renewed = 0")
    tasks = page.traced(SHOWN_S)
    wall_ms, cpu_ms = (max(times) for times in zip(*tasks, strict=True))
    print(
        f"browser, {name}: {page.tell('renewed')} changes in {SHOWN_S:.0f} s,"
        f" {page.tell('document.querySelectorAll(`*`).length')} elements, {len(tasks)} tasks,"
        f" {sum(cpu for _wall, cpu in tasks) / 10 / SHOWN_S:.1f} % of a core; longest task {cpu_ms:.1f} ms of"
        f" CPU, {wall_ms:.1f} ms by the clock; {told(page.tell('tasks'))}"
    )
    return cpu_ms


def cpu_s(master):
    times = master.cpu_times()
    return times.user + times.system


def cost(base, master):
    """Return the share of a core that the master needs to renew the page each second."""
    before_s, began_s = cpu_s(master), time.monotonic()
    time.sleep(PAUSE_S * 100)
    idle = (cpu_s(master) - before_s) / (time.monotonic() - began_s)
    before_s, began_s = cpu_s(master), time.monotonic()
    for _ in range(ASKED):
        requests.get(base, timeout=30).raise_for_status()
    used_s = cpu_s(master) - before_s - idle * (time.monotonic() - began_s)
    of_core = used_s / ASKED / RENEWED_S
    print(
        f"master: {idle:.1%} of a core without the page, {of_core:.2%} more for one that is shown"
    )
    return of_core


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
        f"/capacity/{path}: {CONNECTIONS} connections, {len(answer.content)} bytes, median"
        f" {median_ms:.1f} ms, p95 {times_ms[int(0.95 * len(times_ms))]:.1f} ms, longest"
        f" {times_ms[-1]:.1f} ms"
    )
    return median_ms


if __name__ == "__main__":
    sys.exit(main())
