"""HAProxy before three instances with a thread for each client, each in a pids cgroup of its own.

The health check is answered by the same threads as the clients, unless it has a port of its own; an
instance that fails it is taken out, and its clients are cut and come back to the others.
"""

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SERVERS = Path(__file__).parents[2] / "validation" / "servers"
sys.path.insert(0, str(SERVERS))

from beside import free_port, ready_when_open

CONFIGURATION = """
global
    nbthread 1
defaults
    mode http
    timeout connect 5s
    timeout client 1h
    timeout server 1h
    timeout tunnel 1h
frontend clients
    bind {host}:{port} backlog 2048
    default_backend instances
backend instances
    balance leastconn
    option redispatch
    option httpchk GET /snapshot
    default-server inter 500ms fall 2 rise 20 on-marked-down shutdown-sessions
"""


def option(name):
    return sys.argv[sys.argv.index(name) + 1]


def instance(number, tasks, port):
    """Start an instance beside HAProxy, in a cgroup that may have so many tasks."""
    group = PIDS / f"capacity-museum-{os.getpid()}-{number}"

    def prepare():
        group.mkdir()
        (group / "pids.max").write_text(str(tasks))
        (group / "cgroup.procs").write_text(str(os.getpid()))

    program = str(SERVERS / "with_threads.py")
    subprocess.Popen(
        [sys.executable, program, "--quiet", "--host", "127.0.0.1", "--port", str(port)],
        stdin=subprocess.DEVNULL,
        preexec_fn=prepare,
    )


# A network namespace has a /sys of its own, without the cgroups.
PIDS = Path(tempfile.mkdtemp(prefix="fleet-pids-"))
subprocess.run(["mount", "-t", "cgroup", "-o", "pids", "none", str(PIDS)], check=True)
host, tasks = option("--host"), int(option("--tasks"))
ports = [free_port("127.0.0.1") for _ in range(3)]
front = free_port(host)
for number, port in enumerate(ports):
    instance(number, tasks, port)
for port in ports:  # A check that fails at first keeps an instance out for long.
    for _ in range(100):
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            break
        time.sleep(0.05)
config = Path(tempfile.mkdtemp(prefix="fleet-"), "haproxy.conf")
servers = [f"    server instance{port} 127.0.0.1:{port} check" for port in ports]
config.write_text("\n".join([CONFIGURATION.format(host=host, port=front), *servers, ""]))
ready_when_open(host, front)
os.execvp("haproxy", ["haproxy", "-db", "-f", str(config)])
