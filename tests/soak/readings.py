"""What a process has taken: memory, descriptors, threads, and greenlets where it counts them."""

import json
from pathlib import Path

import psutil


class Watched:
    """The processes of one run by their roles; those that a reading finds."""

    def __init__(self, cli, counts):
        self._cli = cli
        self._counts = counts

    def processes(self, own):
        """Return role -> pid of all that *own* has started."""
        found = {}
        for child in psutil.Process(own).children():
            words = " ".join(child.cmdline())
            if child.pid == self._cli:
                found["command"] = child.pid
                for master in child.children():
                    found["master"] = master.pid
                    workers = sorted(worker.pid for worker in master.children())
                    found.update({f"worker {n}": pid for n, pid in enumerate(workers)})
            elif "capacity.monitor" in words:
                found["agent"] = child.pid
            elif " exchange" in words:
                found["exchange"] = child.pid
        return found


def read(pid, counts):
    """Return one reading; greenlets are missing where the process counts none."""
    process = Path(f"/proc/{pid}")
    memory = dict(line.split(":", 1) for line in _lines(process / "smaps_rollup")[1:])
    status = dict(line.split(":", 1) for line in _lines(process / "status"))
    reading = {
        "rss_bytes": int(memory["Rss"].split()[0]) * 1024,
        "pss_bytes": int(memory["Pss"].split()[0]) * 1024,
        "descriptors": len(list((process / "fd").iterdir())),
        "threads": int(status["Threads"]),
    }
    file = counts / str(pid)
    if file.exists():
        reading["greenlets"] = json.loads(file.read_text(encoding="utf-8"))["greenlets"]
    return reading


def _lines(path):
    return path.read_text(encoding="utf-8").splitlines()
