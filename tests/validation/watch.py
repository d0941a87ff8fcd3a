"""What a safe run did to its target, read beside the product: sockets, kills, throttling, use.

A thread looks twice a second; the kernel's own counters are read at the end.
"""

import contextlib
import re
import threading
import time
from pathlib import Path

import psutil

EVERY_S = 0.5


def established(text, port):
    """Return the connections to *port* that a /proc/net/tcp shows as open."""
    return len(re.findall(rb": [0-9A-F]+:%04X [0-9A-F]+:[0-9A-F]{4} 01 " % port, text))


def counter(path, name):
    """Return a counter of a cgroup's file of names and values, None where there is none."""
    with contextlib.suppress(OSError):
        for line in path.read_text().splitlines():
            if line.split()[0] == name:
                return int(line.split()[1])
    return None


class Watch:
    """Watches a server's process tree from entry to exit of a block; then `seen` says what was."""

    def __init__(self, process, port, groups, *, cpu_ratio=0.0):
        self._process, self._port, self._groups = process, port, groups
        self._cpu_ratio = cpu_ratio
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._sockets, self._cpu_share = 0, 0.0
        self.seen = {}

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()
        ended = self._process.poll()
        self.seen = {
            "sockets": self._sockets,
            "target_died": ended is not None,
            "target_ended_with": ended,
            "oom_kills": 0,
            "throttled_s": 0.0,
            "memory_share": None,
            "cpu_share": round(self._cpu_share, 3) if self._cpu_ratio else None,
        }
        for group in self._groups:
            kills = counter(group / "memory.oom_control", "oom_kill")
            throttled_ns = counter(group / "cpu.stat", "throttled_time")
            self.seen["oom_kills"] += kills or 0
            self.seen["throttled_s"] += (throttled_ns or 0) / 1e9
            with contextlib.suppress(OSError, ValueError):
                most = int((group / "memory.max_usage_in_bytes").read_text())
                limit = int((group / "memory.limit_in_bytes").read_text())
                self.seen["memory_share"] = round(most / limit, 3)

    def _look(self):
        tcp = Path(f"/proc/{self._process.pid}/net/tcp")
        before_s, before_cpu_s = time.monotonic(), self._cpu_s()
        while not self._over.wait(EVERY_S):
            with contextlib.suppress(OSError):
                self._sockets = max(self._sockets, established(tcp.read_bytes(), self._port))
            now_s = time.monotonic()
            if self._cpu_ratio and now_s - before_s > 2:
                used_s = self._cpu_s()
                share = (used_s - before_cpu_s) / (now_s - before_s) / self._cpu_ratio
                self._cpu_share = max(self._cpu_share, share)
                before_s, before_cpu_s = now_s, used_s

    def _cpu_s(self):
        total_s = 0.0
        with contextlib.suppress(psutil.Error):
            whole = psutil.Process(self._process.pid)
            for each in (whole, *whole.children(recursive=True)):
                with contextlib.suppress(psutil.Error):
                    total_s += sum(each.cpu_times()[:2])
        return total_s
