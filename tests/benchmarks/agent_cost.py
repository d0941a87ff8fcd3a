"""What the agent costs beside a target that holds 20,000 connections, and whether it counts right.

`make bench` prints the table and writes reports/benchmarks/agent_cost.json. The agent watches a
server for half a minute at one sample a second, in the host's network namespace and in another
one; what it says is held against ss and /proc. Beside it stands what one call of
psutil.net_connections costs in the same minute: the usual way to count connections.
"""

import json
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import requests
from rich.console import Console
from rich.table import Table

OUTPUT = Path("reports/benchmarks/agent_cost.json")
SECONDS = 30.0
PSUTIL_CALLS = 3
MOST = 20_000
CROWD, PROCESSES = 50_000, 3
"""More connections than a process may have descriptors: as prefork workers hold them."""
SPARE = 100
"""Descriptors that server and client need for themselves."""

SERVER = """
import socket, sys
server = socket.create_server(("::", 0), family=socket.AF_INET6, backlog=4000, dualstack_ipv6=True)
print(server.getsockname()[1], flush=True)
held = []
for line in sys.stdin:
    held.extend(server.accept()[0] for _ in range(int(line)))
    print("done", flush=True)
"""
CLIENT = """
import socket, sys
port, held = int(sys.argv[1]), []
for line in sys.stdin:
    for _ in range(int(line)):
        client = socket.socket()
        client.connect(("127.0.0.1", port))
        held.append(client)
    print("done", flush=True)
"""
BATCH = 1000


def main() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    most = min(MOST, hard - SPARE)
    rows = [measured(where, count) for where in places() for count in (0, 1_000, most)]
    if os.geteuid() == 0 and Path("/sys/fs/cgroup/pids").is_dir():
        rows.append(crowded(min(CROWD // PROCESSES, hard - SPARE)))
    table = Table(*rows[0], title=f"agent at 1 sample/s for {SECONDS:.0f} s")
    for row in rows:
        table.add_row(*[f"{v:,.4g}" if isinstance(v, float) else str(v) for v in row.values()])
    Console(width=150).print(table)
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    OUTPUT.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def places() -> list[str]:
    can_enter = os.geteuid() == 0 and shutil.which("unshare") and shutil.which("nsenter")
    return ["host", "other namespace"] if can_enter else ["host"]


class Program:
    """A child that does as many things as a line says, and answers when they are done."""

    def __init__(self, *command: str) -> None:
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def say(self, count: int) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{count}\n")
        self.process.stdin.flush()

    def end(self) -> None:
        self.process.kill()
        self.process.wait()


def measured(where: str, count: int) -> dict[str, float | str]:
    python = (sys.executable, "-ISc")
    prefix = ("unshare", "-n", "sh", "-c", 'ip link set lo up && exec "$@"', "sh")
    server = Program(*(prefix if where != "host" else ()), *python, SERVER)
    port = server.line()
    inside = ("nsenter", f"--net=/proc/{server.process.pid}/ns/net")
    client = Program(*(inside if where != "host" else ()), *python, CLIENT, port)
    try:
        connect(server, client, count)
        return {"where": where, "connections": str(count), **observed(server, port, count, inside)}
    finally:
        client.end()
        server.end()


def connect(server: Program, client: Program, count: int) -> None:
    for begin in range(0, count, BATCH):
        batch = min(BATCH, count - begin)
        for program in (client, server):
            program.say(batch)
        for program in (client, server):
            program.line()


@contextmanager
def watching(*target: str) -> Iterator[tuple[psutil.Process, str]]:
    """Run an agent; yield its process and its address."""
    agent = subprocess.Popen(
        [sys.executable, "-m", "capacity.monitor", *target, "--listen", "0"],
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert agent.stderr is not None
        yield psutil.Process(agent.pid), agent.stderr.readline().split()[-1]
    finally:
        agent.terminate()
        agent.wait()


def cores_of(process: psutil.Process) -> float:
    """Return the cores that a process uses, over the time of the measurement."""
    begin_s, began_s = spent_s(process), time.monotonic()
    time.sleep(SECONDS)
    return (spent_s(process) - begin_s) / (time.monotonic() - began_s)


def samples_of(url: str) -> list[dict[str, Any]]:
    answer = requests.get(f"{url}/v1/samples?since=0", timeout=10).text
    return [json.loads(line) for line in answer.splitlines()]


def censuses_of(samples: list[dict[str, Any]]) -> list[float]:
    return [
        found
        for each in samples
        if (found := each["used"].get("application_connections")) is not None
    ]


def crowded(each: int) -> dict[str, float | str]:
    """Return the agent's cost beside several processes that it finds by their cgroup."""
    python = (sys.executable, "-ISc")
    group = Path(f"/sys/fs/cgroup/pids/agent-cost-{os.getpid()}")
    group.mkdir()
    servers = [Program(*python, SERVER) for _ in range(PROCESSES)]
    for server in servers:
        (group / "cgroup.procs").write_text(str(server.process.pid))
    clients = [Program(*python, CLIENT, server.line()) for server in servers]
    try:
        for server, client in zip(servers, clients, strict=True):
            connect(server, client, each)
        with watching("--cgroup", str(group)) as (agent, url):
            cores = cores_of(agent)
            samples = samples_of(url)
        held = PROCESSES * each
        assert set(censuses_of(samples)) == {held}
        return {
            "where": f"{PROCESSES} processes",
            "connections": str(held),
            "agent_cores": cores,
            "samples": float(len(samples)),
            "censuses": float(len(censuses_of(samples))),
            "psutil_net_connections_s": psutil_s(),
        }
    finally:
        for program in (*clients, *servers):
            program.end()
        group.rmdir()


def observed(server: Program, port: str, count: int, inside: tuple[str, ...]) -> dict[str, float]:
    pid = server.process.pid
    with watching("--pid", str(pid)) as (agent, url):
        cores = cores_of(agent)
        samples = samples_of(url)
    censuses = censuses_of(samples)
    command = [*inside, "ss", "-Htn", "state", "established", f"sport = :{port}"]
    by_ss = len(subprocess.run(command, capture_output=True, check=True).stdout.splitlines())
    descriptors = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    assert set(censuses) == {by_ss} == {count}, (censuses, by_ss, count)
    assert samples[-1]["used"]["descriptors"] == descriptors == count + 4
    return {
        "agent_cores": cores,
        "samples": float(len(samples)),
        "censuses": float(len(censuses)),
        "psutil_net_connections_s": psutil_s(),
    }


def spent_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


def psutil_s() -> float:
    """Return the processor time of one call, which counts the host's namespace only."""
    began_s = time.process_time()
    for _ in range(PSUTIL_CALLS):
        psutil.net_connections("tcp")
    return (time.process_time() - began_s) / PSUTIL_CALLS


if __name__ == "__main__":
    main()
