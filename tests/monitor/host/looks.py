"""Processes that come and go, and a target that is looked at often."""

import pytest

from capacity.monitor.host import target as module
from capacity.monitor.host.discovery import Selector
from capacity.monitor.host.target import Target

FORK = "import os, signal; pids = []"
MORE = "pids.append(os.fork()) or pids[-1] or signal.pause()"
LESS = "pid = pids.pop(); os.kill(pid, 9); os.waitpid(pid, 0)"
LISTEN = "import socket; s = socket.create_server(('127.0.0.1', {})); print(s.getsockname()[1])"


@pytest.fixture
def hasty(monkeypatch):
    """Children and returns are looked for on every view."""
    monkeypatch.setattr(module, "_REFRESH_S", 0.0)
    monkeypatch.setattr(module, "_RESOLVE_S", 0.0)
    monkeypatch.setattr(module, "_REFRESH_COST_RATIO", 1e9)


def resolved(**how):
    target = Target(Selector(**how))
    target.resolve()
    return target
