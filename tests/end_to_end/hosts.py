"""Hosts for a test: network namespaces on one switch, each with a name and a boot id of its own.

What tells hosts apart is real (addresses, ports, links, names) but for the kernel, which is one:
each host sees another boot id in /proc, by a bind mount in its own mount namespace. Needs root.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from contextlib import suppress

NETWORK = "10.77.77"
BOOT_ID = "/proc/sys/kernel/random/boot_id"
# What the shell of a new host does before it becomes the program.
MOVE_IN = f'mount --bind "$1" {BOOT_ID} && hostname "$2" && shift 2 && exec "$@"'


def why_not():
    """Return why there can be no hosts here; None when there can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    missing = [name for name in ("ip", "unshare", "mount") if shutil.which(name) is None]
    if missing:
        return f"{missing[0]} is not installed (iproute2, util-linux)"
    name = f"capacity-{os.getpid()}-try"
    commands = [["netns", "add", name], ["-n", name, "link", "add", "switch", "type", "bridge"]]
    try:
        for command in commands:
            tried = subprocess.run(["ip", *command], capture_output=True, text=True, check=False)
            if tried.returncode:
                return f"ip {' '.join(command)}: {tried.stderr.strip()}"
    finally:
        subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)
    return None


def ip(*words):
    subprocess.run(["ip", *words], check=True, capture_output=True)


class Process:
    """A program on a host; its output is in one file."""

    def __init__(self, process, log):
        self.process = process
        self.log = log

    @property
    def said(self):
        return self.log.read_text(encoding="utf-8", errors="replace")

    def wait_for(self, text, timeout_s=60):
        eventually(lambda: text in self.said, f"{text!r} in {self.log}", timeout_s)

    def kill(self):
        self.process.kill()
        self.process.wait()


class Host:
    def __init__(self, network, name, number):
        self.name = name
        self.address = f"{NETWORK}.{number}"
        self._namespace = network.namespace(name)
        self._folder = network.folder / name
        self._folder.mkdir()
        self._port = f"{name[:8]}{number}"
        (self._folder / "boot_id").write_text(f"{uuid.uuid4()}\n")
        ip("netns", "add", self._namespace)
        self._switch = network.switch
        ip("-n", self._switch, "link", "add", self._port, "type", "veth", "peer", "name", "eth0",
           "netns", self._namespace)  # fmt: skip
        ip("-n", self._switch, "link", "set", self._port, "master", "switch", "up")
        self.add_address(self.address)
        self.ip("link", "set", "eth0", "up")
        self.ip("link", "set", "lo", "up")

    def ip(self, *words):
        ip("-n", self._namespace, *words)

    def add_address(self, address):
        self.ip("address", "add", f"{address}/24", "dev", "eth0")

    def run(self, program, *arguments):
        """Start Python with *arguments* on this host, in the checkout *program*."""
        log = self._folder / f"{len(list(self._folder.iterdir()))}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                ["ip", "netns", "exec", self._namespace, "unshare", "--mount", "--uts",
                 "sh", "-c", MOVE_IN, "sh", str(self._folder / "boot_id"), self.name,
                 sys.executable, *map(str, arguments)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=program,
                start_new_session=True,
                env={**os.environ, "PYTHONPATH": str(program)},
            )  # fmt: skip
        return Process(process, log)

    def link(self, state):
        """Pull the cable out of the switch (down), or put it in again (up)."""
        ip("-n", self._switch, "link", "set", self._port, state)

    def pids(self):
        listed = subprocess.run(
            ["ip", "netns", "pids", self._namespace], capture_output=True, text=True, check=False
        )
        return [int(pid) for pid in listed.stdout.split()]


class Network:
    """A switch, and the hosts that are plugged into it; on leaving all of it is gone."""

    def __init__(self, folder):
        self.folder = folder
        self._hosts = []
        self.switch = self.namespace("switch")

    def namespace(self, name):
        return f"capacity-{os.getpid()}-{name}"

    def __enter__(self):
        ip("netns", "add", self.switch)
        ip("-n", self.switch, "link", "add", "switch", "type", "bridge")
        ip("-n", self.switch, "link", "set", "switch", "up")
        return self

    def host(self, name):
        self._hosts.append(Host(self, name, len(self._hosts) + 1))
        return self._hosts[-1]

    def clear(self, *hosts):
        """End every process on *hosts*."""
        for pid in [pid for host in hosts for pid in host.pids()]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def __exit__(self, *_):
        self.clear(*self._hosts)
        for name in [self.switch, *(self.namespace(host.name) for host in self._hosts)]:
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)


def eventually(is_so, what, timeout_s=60.0):
    deadline_s = time.monotonic() + timeout_s
    while not is_so():
        if time.monotonic() > deadline_s:
            raise TimeoutError(f"not within {timeout_s} s: {what}")
        time.sleep(0.05)


def copy_of_the_program(root, folder):
    """Return another checkout."""
    for name in ("capacity", "config", "locustfiles"):
        shutil.copytree(root / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    return folder
