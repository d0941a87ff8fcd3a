"""Processes beside the server: not its children, but ending with its process group."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

PUBLISHER = Path(__file__).parents[1] / "publisher.py"
START_S = 60.0
"""Longest time until a server's port is open."""


def start_beside(argv):
    """Start a program that the server's process tree does not have in it."""
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    subprocess.Popen(argv, stdin=subprocess.DEVNULL)
    os._exit(0)


def publish_beside(protocol, host, port, topic, rate_per_s):
    """Start a publisher of updates to a broker."""
    words = (protocol, host, port, topic, rate_per_s)
    start_beside([sys.executable, str(PUBLISHER), *map(str, words)])


def free_port(host):
    with socket.create_server((host, 0)) as server:
        return server.getsockname()[1]


def ready_when_open(host, port):
    """Say that the server is ready as soon as its port is open, from a process beside it."""
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    if os.fork() == 0:
        deadline_s = time.monotonic() + START_S
        while time.monotonic() < deadline_s:
            try:
                socket.create_connection((host, port), timeout=1).close()
            except OSError:
                time.sleep(0.05)
            else:
                print(f"server ready on {host}:{port}", file=sys.stderr, flush=True)
                break
    os._exit(0)
