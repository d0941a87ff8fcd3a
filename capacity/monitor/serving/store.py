"""The latest samples in memory, encoded once, and what is known of the target beside them."""

import json
import os
import platform
import socket
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import fields, replace
from itertools import takewhile
from typing import Any, TypeVar

import psutil

from capacity.domain.sample import AgentInfo, Sample
from capacity.monitor.host.procfs import read_text
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
    """The last *keep* samples; one thread adds, others read or wait for more."""

    def __init__(self, keep: int) -> None:
        self._lines: deque[tuple[int, bytes]] = deque(maxlen=keep)
        self._changed = threading.Condition()
        self.latest: Sample | None = None
        self.current: Sample | None = None
        """The latest, and from those before it what was not due again yet."""

    def add(self, sample: Sample) -> None:
        line = f"{as_json(sample)}\n".encode()
        with self._changed:
            self._lines.append((sample.seq, line))
            self.latest = sample
            self.current = sample if self.current is None else _updated(self.current, sample)
            self._changed.notify_all()

    def since(self, seq: int) -> list[tuple[int, bytes]]:
        """Return number and line of NDJSON of the samples after *seq*, oldest first."""
        with self._changed:
            newer = list(takewhile(lambda entry: entry[0] > seq, reversed(self._lines)))
        return newer[::-1]

    def wait_beyond(self, seq: int, timeout_s: float, stop: threading.Event) -> None:
        """Return as soon as there is a sample after *seq*, *stop* is set, or after *timeout_s*."""
        with self._changed:
            self._changed.wait_for(lambda: self.newest_seq > seq or stop.is_set(), timeout_s)

    def wake(self) -> None:
        """Have those who wait look at what they wait for."""
        with self._changed:
            self._changed.notify_all()

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


def agent_info(sampler: Sampler, notes: tuple[str, ...] = ()) -> AgentInfo:
    """Return who is watched, on what host, within which limits; needs a primed sampler."""
    view = sampler.view
    assert view is not None, "the target was there when the agent started"
    return AgentInfo(
        agent_version=agent_version(),
        host=socket.gethostname(),
        kernel=platform.release(),
        cores=psutil.cpu_count() or os.cpu_count() or 1,
        memory_bytes=psutil.virtual_memory().total,
        boot_id=_boot_id(),
        target_name=view.name,
        target_pids=tuple(view.stats),
        target_started_at=view.started_at,
        limits=sampler.limits,
        now=sampler.clock.now(),
        audit=sampler.audit,
        threads_per_core=_threads_per_core(),
        notes=(*notes, *_clock_notes(sampler)),
        listening_ports=sampler.listening_ports(),
    )


def _threads_per_core() -> int | None:
    threads, cores = psutil.cpu_count(), psutil.cpu_count(logical=False)
    return round(threads / cores) if threads and cores else None


def _boot_id() -> str:
    try:
        return read_text("/proc/sys/kernel/random/boot_id").strip()
    except OSError:
        return "unknown"  # Some sandboxes do not have it.


def _clock_notes(sampler: Sampler) -> tuple[str, ...]:
    stepped_s = sampler.clock.stepped_s()
    if stepped_s is None:
        return ()
    sentence = (
        f"the host's clock was set by {stepped_s:+.1f} s since the agent started; samples keep to"
        " the time before, so that a run holds together: restart the agent between two runs"
    )
    return (sentence,)
