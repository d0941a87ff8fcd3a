"""Does the agent watch whom the connections reach? A few of them are opened, and it must see them.

Read before the first connection of a run, held until the agent has had its chance, closed right
after. What cannot be told so is unknown and told with its reason; the plateaus tell more.
"""

import contextlib
import itertools
import ssl
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

from capacity.domain import units
from capacity.domain.errors import UnreachableError
from capacity.domain.resources import Resource
from capacity.domain.sample import AgentInfo, PortHolder, Sample
from capacity.loadgen.checks.watch_verdict import Holders, Watch, judged, unknown
from capacity.loadgen.wire.connection_values import ConnectionValues
from capacity.loadgen.wire.endpoint import endpoint_of
from capacity.loadgen.wire.frames import CLOSE_FRAME
from capacity.loadgen.wire.handshake import HandshakeError
from capacity.loadgen.wire.streams.opener import open_connection
from capacity.planning.evidence.identity.count_gains import LEAST_GAIN_RATIO, Rise, rise
from capacity.planning.evidence.identity.target_identity import watched
from capacity.settings.target import Target
from capacity.sources.source import Source
from capacity.workload.dialects.address import channels_of
from capacity.workload.dialects.dialect import Dialect

OPENED = 5
"""Enough to tell from a file or two that come and go, too few to harm anybody."""
LONGEST_INTERVAL_S = 5.0
"""Connections are not held for sources that are slower; the plateaus tell."""
CALM_S = 6.0
"""Longest wait for counts that stay as they are; it takes three censuses."""
HELD_S = 8.0
"""At most: a census of connections is taken every two seconds, or more rarely where it is dear."""
_RECENT = 30
"""Samples among which every count was read: a census comes only every few."""
_READINGS = 3
_DECISIVE_READINGS = 2
_MOST_READS = 1000
_POLL_S = 0.1
_OPEN_S = 5.0
_COUNTS = frozenset({Resource.APPLICATION_CONNECTIONS, Resource.DESCRIPTORS, Resource.THREADS})


def watch(target: Target, dialect: Dialect, source: Source, info: AgentInfo) -> Watch:
    """Open a few connections and see whether the agent sees them. Raises UnreachableError."""
    samples = source.samples(0)
    # A sampler that samples when it is asked has long intervals as well.
    interval_s = min((sample.interval_s for sample in samples[-_RECENT:]), default=0.0)
    if max(interval_s, source.delay_s) > LONGEST_INTERVAL_S:
        return unknown(
            f"{source.name} has new samples only every {units.duration(max(interval_s, source.delay_s))}:"
            " the plateaus will show whether it sees the connections"
        )
    samples = _first_samples(source)
    if not any(resource in sample.used for sample in samples for resource in _COUNTS):
        return unknown(f"neither connections nor descriptors of {watched(info)} could be read")
    before = _holders(source, target.port)
    with ExitStack() as stack:
        sockets = _opened(target, dialect, stack)
        if not sockets:
            return unknown("no test connection could be opened")
        found = _seen(source, samples, len(sockets), len(info.target_pids))
        during = _holders(source, target.port)
        holders = Holders(before=before or (), during=during or (), is_known=during is not None)
        ended = sum(not _is_open(each) for each in sockets)
    if ended > len(sockets) * LEAST_GAIN_RATIO and not found.is_seen:
        return unknown(
            f"the target closed {ended} of {units.counted(len(sockets), 'idle test connection')}"
        )
    return judged(found, info, source.name, target.port, holders)


def _first_samples(source: Source) -> list[Sample]:
    """Return what there is, once every count was read anew and none comes and goes.

    A new agent needs a moment for them, and connections of the trial before, or of another check, have
    just been closed: counts that were read while they were open are calm as well.
    """
    deadline_s = time.monotonic() + CALM_S
    last_seq = max((sample.seq for sample in source.samples(0)), default=0)
    while True:
        samples = source.samples(0)
        anew = [sample for sample in samples if sample.seq > last_seq]
        is_ready = _told(anew) >= _COUNTS and _is_calm(samples)
        if is_ready or time.monotonic() > deadline_s:
            return samples
        time.sleep(_POLL_S)


def _is_calm(samples: Sequence[Sample]) -> bool:
    used = [sample.used for sample in _last_readings(samples)]
    return all(
        max(values) - min(values) < OPENED * LEAST_GAIN_RATIO
        for name in _COUNTS
        if (values := [each[name] for each in used if name in each])
    )


def _told(samples: Sequence[Sample]) -> set[str]:
    """Return what was read, or cannot be; what is due in a later sample is neither."""
    return {name for sample in samples for name in (*sample.used, *sample.missing)}


def _opened(target: Target, dialect: Dialect, stack: ExitStack) -> list[Any]:
    """Return the sockets of a few connections that are closed with *stack*."""
    channels = channels_of(dialect, 0, target.channels, target.symbols, 1)
    values = ConnectionValues(target, dialect, itertools.repeat(None))
    sockets: list[Any] = []
    # The trial before says why none opens; some of them are enough.
    with contextlib.suppress(HandshakeError):
        for number in range(OPENED):
            endpoint = endpoint_of(target, dialect, channels, values=values.of(number))
            endpoint = replace(endpoint, timeout_s=min(endpoint.timeout_s, _OPEN_S))
            opened = open_connection(endpoint)
            sockets.append(stack.enter_context(opened.socket))
            if opened.reader is None:
                stack.callback(_say_goodbye, opened.socket)
    return sockets


def _say_goodbye(opened: Any) -> None:
    with contextlib.suppress(OSError):  # It is closed all the same.
        opened.settimeout(1.0)
        opened.send(CLOSE_FRAME)


def _is_open(opened: Any) -> bool:
    """Return whether the target has not ended a connection, whatever it sent."""
    opened.settimeout(0.0)
    try:
        for _ in range(_MOST_READS):
            if not opened.recv(65_536):
                return False
    except (BlockingIOError, ssl.SSLWantReadError):
        return True
    except OSError:
        return False
    return True


def _seen(source: Source, before: Sequence[Sample], opened: int, processes: int) -> Rise:
    """Return the rise as soon as it is seen, or as every count was read after the opening."""
    deadline_s = time.monotonic() + HELD_S
    counts = {name for sample in before[-_RECENT:] for name in sample.used} & _COUNTS
    # Processes that connections start are found only every few seconds.
    is_decisive = Resource.APPLICATION_CONNECTIONS in counts
    # Looking who listens may take longer than a sample.
    last_seq = max(sample.seq for sample in (before[-1], *source.samples(before[-1].seq)))
    before = _last_readings(before)
    while True:
        newer = [sample for sample in source.samples(last_seq) if sample.seq > last_seq]
        found = rise(before, _newest(newer), opened=opened, processes=processes)
        # The first reading may have been begun before the last connection was open.
        readings = Counter(name for sample in newer for name in sample.used)
        is_read = all(readings[name] >= _DECISIVE_READINGS for name in counts)
        if found.is_seen or (is_decisive and is_read):
            return found
        if time.monotonic() > deadline_s:
            return found if is_read or found.is_seen is None else _unread(found)
        time.sleep(_POLL_S)


def _unread(found: Rise) -> Rise:
    late = f"its counts were not read twice within {units.duration(HELD_S)}"
    return replace(found, is_seen=None, unknown=late)


def _last_readings(samples: Sequence[Sample]) -> list[Sample]:
    """Return the last few readings of each resource: older ones may be of another load."""
    readings = {
        name: [sample.used[name] for sample in samples if name in sample.used][-_READINGS:]
        for name in _COUNTS
    }
    return [
        replace(
            samples[-1], used={name: each[n] for name, each in readings.items() if n < len(each)}
        )
        for n in range(_READINGS)
    ]


def _newest(samples: Sequence[Sample]) -> list[Sample]:
    """Return one sample with the newest reading of each resource; none where there is none."""
    used = {name: value for sample in samples for name, value in sample.used.items()}
    return [replace(samples[-1], used=used)] if samples else []


def _holders(source: Source, port: int) -> tuple[PortHolder, ...] | None:
    with contextlib.suppress(UnreachableError):
        return source.port_holders(port)
    return None
