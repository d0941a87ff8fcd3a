"""The latest samples in memory, encoded once, and what is known of the target beside them."""

import json
import os
import platform
import socket
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import fields, replace
from itertools import takewhile
from typing import Any, TypeVar

import psutil

from capacity.domain.sample import AgentInfo, Sample
from capacity.monitor.procfs import read_text
from capacity.monitor.sampler import Sampler
from capacity.monitor.version import agent_version

_Name = TypeVar("_Name", bound=str)
_Value = TypeVar("_Value", float, str)


def as_json(record: Any) -> str:
    """Return a dataclass as one line of JSON: field names as keys, enums as their values."""
    return json.dumps(_plain(record), separators=(",", ":"), allow_nan=False)


def _plain(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if hasattr(value, "__dataclass_fields__"):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    return value


class SampleRing:
    """The last *keep* samples; one thread adds, others read."""

    def __init__(self, keep: int) -> None:
        self._lines: deque[tuple[int, bytes]] = deque(maxlen=keep)
        self._lock = threading.Lock()
        self.latest: Sample | None = None
        self.current: Sample | None = None
        """The latest, and from those before it what was not due again yet."""

    def add(self, sample: Sample) -> None:
        line = f"{as_json(sample)}\n".encode()
        with self._lock:
            self._lines.append((sample.seq, line))
            self.latest = sample
            self.current = sample if self.current is None else _updated(self.current, sample)

    def since(self, seq: int) -> bytes:
        """Return the samples after *seq* as NDJSON, oldest first."""
        with self._lock:
            newer = list(takewhile(lambda entry: entry[0] > seq, reversed(self._lines)))
        return b"".join(line for _, line in reversed(newer))

    @property
    def newest_seq(self) -> int:
        return self.latest.seq if self.latest else 0


def _updated(before: Sample, sample: Sample) -> Sample:
    """Return *sample* with what it neither has nor misses, as it was before."""
    said = {*sample.used, *sample.gauges, *sample.counters, *sample.missing}

    def kept(values: Mapping[_Name, _Value]) -> dict[_Name, _Value]:
        return {name: value for name, value in values.items() if name not in said}

    return replace(
        sample,
        used={**kept(before.used), **sample.used},
        gauges={**kept(before.gauges), **sample.gauges},
        counters={**kept(before.counters), **sample.counters},
        missing={**kept(before.missing), **sample.missing},
    )


def agent_info(sampler: Sampler) -> AgentInfo:
    """Return who is watched, on what host, within which limits; needs a primed sampler."""
    view = sampler.view
    assert view is not None, "the target was there when the agent started"
    return AgentInfo(
        agent_version=agent_version(),
        host=socket.gethostname(),
        kernel=platform.release(),
        cores=psutil.cpu_count() or os.cpu_count() or 1,
        memory_bytes=psutil.virtual_memory().total,
        boot_id=read_text("/proc/sys/kernel/random/boot_id").strip(),
        target_name=view.name,
        target_pids=tuple(view.stats),
        target_started_at=view.started_at,
        limits=sampler.limits,
        now=time.time(),
        audit=sampler.audit,
    )
