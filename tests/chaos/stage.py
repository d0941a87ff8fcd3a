"""Where a trial plays: two namespaces with a link between them, a target with its agent, and a command.

All that is started has the same mark in its environment, by which what is left of it is found.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import psutil
import yaml
from inside.control import Control

HERE = Path(__file__).parent
CAPACITY = [sys.executable, "-m", "capacity.cli.main"]
DESCRIPTORS = 256
PORT, AGENT_PORT = 8080, 9101
TARGET_ADDRESS, GENERATOR_ADDRESS = "10.99.0.1", "10.99.0.2"
PROFILE = {
    "profile": 1,
    "name": "chaos",
    "kind": "ramp",
    "levels": [16, 32, 48, 64],
    "connects_per_s": 200,
    "settle_s": 0.1,
    "plateau_s": 1.2,
    "ramp_timeout_s": 5,
}
TARGET = {
    "target": 1,
    "name": "chaos",
    "host": TARGET_ADDRESS,
    "port": PORT,
    "dialect": "deribit",
    "symbols": ["BTC-PERPETUAL"],
    "channels": ["ticker"],
}
READY_S = 60.0


def ip(*words):
    subprocess.run(["ip", *words], check=True, capture_output=True)


class Stage:
    """A trial's folder, namespaces and processes; on leaving, all of it but the folder is gone."""

    def __init__(self, folder, *, polls_per_connection_s=0.0):
        self.folder = folder
        self.mark = uuid.uuid4().hex
        self.polls_per_connection_s = polls_per_connection_s
        self.idle_descriptors = 0
        self._stack = contextlib.ExitStack()
        self._names = {role: f"chaos-{self.mark[:8]}-{role[0]}" for role in ("target", "generator")}
        self.controls = {}
        self.target = self.agent = self.cli = None

    def __enter__(self):
        self.folder.mkdir(parents=True)
        try:
            self._plug()
            for role in ("target", "agent", "generator"):
                self.controls[role] = Control(self.folder / f"{role}.control")
            self.start_target()
            self.start_agent()
        except BaseException:
            self._stack.close()
            raise
        self.idle_descriptors = psutil.Process(self.target.pid).num_fds()
        return self

    def __exit__(self, *_):
        self._stack.close()

    def _plug(self):
        target, generator = self._names.values()
        for name in self._names.values():
            ip("netns", "add", name)
            self._stack.callback(ip, "netns", "del", name)
        self._stack.callback(self.clear)
        ip("-n", target, "link", "add", "eth0", "type", "veth", "peer", "name", "eth0",
           "netns", generator)  # fmt: skip
        for name, address in ((target, TARGET_ADDRESS), (generator, GENERATOR_ADDRESS)):
            ip("-n", name, "address", "add", f"{address}/24", "dev", "eth0")
            ip("-n", name, "link", "set", "eth0", "up")
            ip("-n", name, "link", "set", "lo", "up")

    @property
    def run(self):
        return self.folder / "disk" / "run"

    def start_target(self):
        options = ("--host", TARGET_ADDRESS, "--port", PORT, "--descriptor-limit", DESCRIPTORS)
        self.target = self._start("target", "exchange", *options)
        self._until_ready("target", self.target, "exchange ready")

    def start_agent(self):
        token = self.folder / "token"
        token.write_text("a-long-random-word\n")
        token.chmod(0o600)
        options = ("--port", PORT, "--bind", TARGET_ADDRESS, "--listen", AGENT_PORT)
        self.agent = self._start(
            "agent", "agent", *options, "--allow-plain-http", "--token-file", token
        )
        self._until_ready("agent", self.agent, "agent ready")

    def start_command(self):
        mix = {"subscriptions_per_connection": 1}
        settings = TARGET | {
            "agent": {
                "url": f"http://{TARGET_ADDRESS}:{AGENT_PORT}",
                "token_file": str(self.folder / "token"),
            }
        }
        if self.polls_per_connection_s:
            mix["requests_per_s_per_connection"] = self.polls_per_connection_s
            settings["rest"] = {"operation": "ticker"}
        files = {"target": settings, "profile": PROFILE | {"mix": mix}}
        for name, content in files.items():
            (self.folder / f"{name}.yaml").write_text(yaml.safe_dump(content))
        options = ("--target", "target.yaml", "--profile", "profile.yaml", "--workers", "2")
        self.run.parent.mkdir(exist_ok=True)
        self.cli = self._start("generator", "measure", *options, "--run", self.run)

    def _start(self, role, *arguments):
        place = self._names["generator" if role == "generator" else "target"]
        said = (self.folder / f"{role}.said").open("ab")
        with said:
            process = subprocess.Popen(
                ["nsenter", f"--net=/run/netns/{place}", *CAPACITY, *map(str, arguments)],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,
                env={
                    **os.environ,
                    "PYTHONPATH": f"{HERE / 'inside'}:{HERE.parents[1]}",
                    "CHAOS_CONTROL": str(self.folder / f"{role}.control"),
                    "CHAOS_ROLE": "" if role == "generator" else role,
                    "CHAOS_MARK": f"{self.mark}-{role}",
                    # The addresses of all trials are the same, each in namespaces of its own.
                    "CAPACITY_LOCKS": str(self.folder / "locks"),
                },
            )
        self._stack.callback(_end, process)
        return process

    def said(self, role):
        return (self.folder / f"{role}.said").read_text(errors="replace")

    def _until_ready(self, role, process, words):
        count = self.said(role).count(words) + 1
        deadline_s = time.monotonic() + READY_S
        while self.said(role).count(words) < count and process.poll() is None:
            if time.monotonic() > deadline_s:
                raise TimeoutError(f"the {role} was not ready within {READY_S:.0f} s")
            time.sleep(0.1)

    def link(self, state):
        ip("-n", self._names["target"], "link", "set", "eth0", state)

    def slow(self, rate):
        """Let the target's side of the link carry *rate* only; all again with None."""
        action = (
            f"add dev eth0 root tbf rate {rate} burst 8kb latency 300ms"
            if rate
            else ("del dev eth0 root")
        )
        place = self._names["target"]
        subprocess.run(
            ["tc", "-n", place, "qdisc", *action.split()], capture_output=True, check=False
        )

    def on_leaving(self, action, *arguments):
        self._stack.callback(action, *arguments)

    def left(self, role=""):
        """Return the processes of this trial that are alive, those of one *role* or all."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                is_ours = f"CHAOS_MARK={self.mark}-{role}".encode() in _environment(process.pid)
                if is_ours and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
        return found

    def clear(self):
        for process in self.left():
            with contextlib.suppress(psutil.Error):
                process.kill()


def _environment(pid):
    return Path(f"/proc/{pid}/environ").read_bytes()


def _end(process):
    if process.poll() is None:
        process.send_signal(signal.SIGKILL)
    process.wait()
