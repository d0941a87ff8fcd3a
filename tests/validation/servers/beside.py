"""Processes beside the server: not its children, but ending with its process group."""

import os
import socket
import subprocess
import sys
import time


def start_beside(argv):
    """Start a program that the server's process tree does not have in it."""
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    subprocess.Popen(argv, stdin=subprocess.DEVNULL)
    os._exit(0)


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
        for _ in range(200):
            try:
                socket.create_connection((host, port), timeout=1).close()
                break
            except OSError:
                time.sleep(0.05)
        print(f"server ready on {host}:{port}", file=sys.stderr, flush=True)
    os._exit(0)
