"""What an idle connection takes in the kernel: what the agent says, beside all of slabinfo.

`make bench` prints the table and writes reports/benchmarks/kernel_memory.json. Server and client
share the host, so a connection is two endpoints. The agent adds up the caches that sockets use;
the truth is the growth of all caches together, on a host that does nothing else.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import linear_regression

import requests
from agent_cost import BATCH, CLIENT, SERVER, Program
from rich.console import Console
from rich.table import Table

from capacity.monitor.collectors.slab import parse_slabinfo

OUTPUT = Path("reports/benchmarks/kernel_memory.json")
LEVELS = (0, 6_000, 12_000, 18_000)
CENSUS_S = 12.0
"""A little more than the agent's interval between two looks at the caches."""


def main() -> None:
    if os.geteuid() != 0:
        sys.exit("Only root may read /proc/slabinfo")
    python = (sys.executable, "-ISc")
    server = Program(*python, SERVER)
    client = Program(*python, CLIENT, server.line())
    agent = subprocess.Popen(
        [
            *(sys.executable, "-m", "capacity.monitor"),
            *("--pid", str(server.process.pid), "--listen", "0"),
        ],
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert agent.stderr is not None
        url = agent.stderr.readline().split()[-1]
        said, true = [], []
        for level, before in zip(LEVELS, (0, *LEVELS), strict=False):
            for _ in range(before, level, BATCH):
                for program in (client, server):
                    program.say(BATCH)
                for program in (client, server):
                    program.line()
            time.sleep(CENSUS_S)
            said.append(said_bytes(url))
            true.append(sum(parse_slabinfo(Path("/proc/slabinfo").read_text("ascii")).values()))
    finally:
        for process in (agent, client.process, server.process):
            process.kill()
            process.wait()
    per_endpoint = {
        "agent_bytes": linear_regression(LEVELS, said).slope / 2,
        "slabinfo_bytes": linear_regression(LEVELS, true).slope / 2,
    }
    per_endpoint["ratio"] = per_endpoint["agent_bytes"] / per_endpoint["slabinfo_bytes"]
    table = Table(*per_endpoint, title="kernel memory of one idle endpoint")
    table.add_row(*[f"{value:,.4g}" for value in per_endpoint.values()])
    Console().print(table)
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    OUTPUT.write_text(json.dumps(per_endpoint, indent=2) + "\n", encoding="utf-8")


def said_bytes(url: str) -> float:
    """Return the sum of the newest reading of the caches."""
    lines = requests.get(f"{url}/v1/samples?since=0", timeout=10).text.splitlines()
    readings = [json.loads(line)["gauges"] for line in lines]
    newest = [each for each in readings if "slab_tcp_bytes" in each][-1]
    return float(sum(v for name, v in newest.items() if name.startswith("slab_")))


if __name__ == "__main__":
    main()
