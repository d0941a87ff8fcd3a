"""Whether workers are alive, and what is known of those that are not.

Locust counts heartbeats alone, and takes a worker for lost after three seconds without one. Here
whatever a worker sends is a sign of life, and silence has to last longer. What ZeroMQ's sockets
have for us is looked for once a second: pyzmq does not trust their wake-ups either, but looks again
only after 11.6 s. And a worker that is a process of ours is lost as soon as that has ended.
"""

from locust import runners

import os
import signal
from pathlib import Path
from typing import Any

import gevent.os
import zmq.green

SILENT_S = 8
LOOK_AGAIN_S = 1.0


def be_patient() -> None:
    """Give workers of this process's master their time; once, before it is made."""
    runners.HEARTBEAT_LIVENESS = SILENT_S
    # "This is effectively a maximum poll interval of 1s", says the source, and has 11.6.
    zmq.green.Socket._gevent_bug_timeout = LOOK_AGAIN_S  # type: ignore[attr-defined] # noqa: SLF001


def note_life(runner: Any, worker: str) -> None:
    """Take what a worker has sent for a heartbeat."""
    node = _node(runner, worker)
    if node is not None:
        node.heartbeat = max(node.heartbeat, runners.HEARTBEAT_LIVENESS)


def note_death(runner: Any, worker: str) -> None:
    """Have Locust miss a worker whose process has ended at its next look, in a second at most."""
    node = _node(runner, worker)
    if node is not None:
        node.heartbeat = -1


def _node(runner: Any, worker: str) -> Any:
    clients = getattr(runner, "clients", None)
    return None if clients is None else clients.get(worker)


class Processes:
    """The workers that are children of this process, and how each ended."""

    def __init__(self) -> None:
        self._pids: dict[str, int] = {}
        self._killed_before = _out_of_memory_kills()

    def note(self, worker: str, pid: int) -> None:
        """Take the number that a worker says it has; on another host it may be anybody's here."""
        if worker not in self._pids and _parent_of(pid) == os.getpid():
            self._pids[worker] = pid

    def has_ended(self, worker: str) -> bool:
        pid = self._pids.get(worker)
        return pid is not None and _parent_of(pid) != os.getpid()

    def how_lost(self, worker: str, silent_s: float | None) -> str:
        """Return what is known of how a worker was lost, as a clause."""
        heard = "" if silent_s is None else f", last heard of {silent_s:.1f} s before"
        load, cores = os.getloadavg()[0], os.cpu_count() or 1
        busy = f"; this host's load was {load:.1f} on {cores} cores"
        pid = self._pids.get(worker)
        if pid is None:
            return f"it fell silent{heard}{busy}"
        if not self.has_ended(worker):
            return f"its process {pid} is there and silent{heard}{busy}"
        return f"its process {pid} ended{_how_ended(pid)}{heard}{self._for_want_of_memory()}{busy}"

    def _for_want_of_memory(self) -> str:
        killed = _out_of_memory_kills()
        if killed is None or self._killed_before is None or killed <= self._killed_before:
            return ""
        return ", and the kernel has killed for want of memory since the run began"


def _how_ended(pid: int) -> str:
    """Return how a child ended; gevent has waited for it and keeps what it learnt for a while."""
    learnt = gevent.os._watched_children.get(pid)  # noqa: SLF001 - waitpid would take it from Locust
    if not isinstance(learnt, tuple):
        return ""
    status = learnt[1]
    if os.WIFSIGNALED(status):
        return f" by {signal.Signals(os.WTERMSIG(status)).name}"
    return f" with exit status {os.waitstatus_to_exitcode(status)}"


def _parent_of(pid: int) -> int | None:
    """Return who started a process; None where it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in {"Z", "X"} else int(fields[1])


def _out_of_memory_kills() -> int | None:
    """Return how many processes the kernel of this host has killed so far; None where it is not said."""
    try:
        lines = Path("/proc/vmstat").read_text("ascii").splitlines()
    except OSError:
        return None
    found = [line.partition(" ")[2] for line in lines if line.startswith("oom_kill ")]
    return int(found[0]) if found else None
