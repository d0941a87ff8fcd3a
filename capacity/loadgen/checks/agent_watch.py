"""Does the agent watch whom the connections reach? A few of them are opened, and it must see them.

Read before the first connection of a run, held until the agent has had its chance, closed right
after. What cannot be told so is unknown and told with its reason; the plateaus tell more.
"""

import contextlib
import itertools
import ssl
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

from capacity.domain import units
from capacity.domain.answers.finding import Finding, Status
from capacity.domain.errors import UnreachableError
from capacity.domain.resources import Resource
from capacity.domain.sample import AgentInfo, Destination, PortHolder, Sample
from capacity.domain.words import printable
from capacity.loadgen.wire.connection_values import ConnectionValues
from capacity.loadgen.wire.endpoint import endpoint_of
from capacity.loadgen.wire.frames import CLOSE_FRAME
from capacity.loadgen.wire.handshake import HandshakeError, open_websocket
from capacity.planning.evidence.target_identity import (
    LEAST_GAIN_RATIO,
    Rise,
    not_listening,
    rise,
    watched,
)
from capacity.settings.target import Target
from capacity.sources.source import Source
from capacity.workload.dialects.address import channels_of
from capacity.workload.dialects.dialect import Dialect

OPENED = 5
"""Enough to tell from a file or two that come and go, too few to harm anybody."""
LONGEST_BEAT_S = 5.0
"""Connections are not held for sources that are slower; the plateaus tell."""
CALM_S = 6.0
"""Longest wait for counts that stay as they are; it takes three censuses."""
HELD_S = 8.0
"""At most: a census of connections is taken every two seconds, or more rarely where it is dear."""
_RECENT = 30
"""Samples among which every count was read: a census comes only every few."""
_READINGS = 3
_MOST_READS = 1000
_POLL_S = 0.1
_OPEN_S = 5.0
_COUNTS = frozenset({Resource.APPLICATION_CONNECTIONS, Resource.DESCRIPTORS, Resource.THREADS})
_SHOWN_LETTERS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Holders:
    """Who listens on the target's port, before the connections and while they are open."""

    before: tuple[PortHolder, ...] = ()
    during: tuple[PortHolder, ...] = ()
    is_known: bool = True
    """Whether the source can look who listens."""

    @property
    def is_watched_among(self) -> bool:
        return any(holder.is_watched for holder in self.during)

    def front(self) -> PortHolder | None:
        """Return who listens there and connects to the watched process itself."""
        return next((each for each in self.during if _leads_to_watched(each)), None)

    def stranger(self) -> PortHolder | None:
        """Return who listens there and has nothing to do with the watched process."""
        strangers = [each for each in self.during if not each.is_watched]
        return None if self.is_watched_among or self.front() else next(iter(strangers), None)

    def behind(self, opened: int) -> Destination | None:
        """Return whom the watched process connected to for each connection that it accepted."""
        before = {
            (holder.pid, to.address, to.port): to.connections
            for holder in self.before
            for to in holder.destinations
        }
        grown = {
            to.connections - before.get((holder.pid, to.address, to.port), 0): to
            for holder in self.during
            if holder.is_watched
            for to in holder.destinations
            if not to.is_watched
        }
        most = max(grown, default=0)
        return grown[most] if most >= opened * LEAST_GAIN_RATIO else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What was found, and who passes connections on to the watched process, if anybody does."""

    finding: Finding
    relay: str | None = None
    passes_on_to: str | None = None
    """Where the watched process passes on what it accepts, if it does."""


def watch(target: Target, dialect: Dialect, source: Source, info: AgentInfo) -> Watch:
    """Open a few connections and see whether the agent sees them. Raises UnreachableError."""
    samples = source.samples(0)
    # A sampler that samples when it is asked has long intervals as well.
    beat_s = min((sample.interval_s for sample in samples[-_RECENT:]), default=0.0)
    if max(beat_s, source.delay_s) > LONGEST_BEAT_S:
        return _unknown(
            f"{source.name} has new samples only every {units.duration(max(beat_s, source.delay_s))}:"
            " the plateaus will show whether it sees the connections"
        )
    samples = _first_samples(source)
    if not any(resource in sample.used for sample in samples for resource in _COUNTS):
        return _unknown(f"neither connections nor descriptors of {watched(info)} could be read")
    before = _holders(source, target.port)
    with ExitStack() as stack:
        sockets = _opened(target, dialect, stack)
        if not sockets:
            return _unknown("no test connection could be opened")
        found = _seen(source, samples, len(sockets), len(info.target_pids))
        during = _holders(source, target.port)
        holders = Holders(before=before or (), during=during or (), is_known=during is not None)
        ended = sum(not _is_open(each) for each in sockets)
    if ended > len(sockets) * LEAST_GAIN_RATIO and not found.is_seen:
        return _unknown(
            f"the target closed {ended} of {units.counted(len(sockets), 'idle test connection')}"
        )
    return judged(found, info, source.name, target.port, holders)


def judged(found: Rise, info: AgentInfo, origin: str, port: int, holders: Holders) -> Watch:
    """Return what follows from the rise that *origin* saw, and from who listens on the port."""
    who = f"{origin} watches {watched(info)}"
    front, behind = holders.front(), holders.behind(round(found.opened))
    if found.is_seen and behind is not None:
        named = _named(behind) if behind.name else "process not visible from there"
        place = f"{behind.address} port {behind.port} ({named})"
        warning = _warning(
            f"{who}, which only relays to {place}: the relay's limits are measured, not those of its"
            " upstream",
            f"Start the agent with --pid {behind.pid or 'PID, on the host of that address,'} to"
            " measure the service, unless the relay is what you want to size",
        )
        return replace(warning, passes_on_to=place)
    if front is not None:
        relay = f"{_named(front)}, which listens on port {port}"
        shares = "" if found.is_seen else f" and gained {found.statement}"
        warning = _warning(
            f"{who}{shares}; connections come through {relay}, whose limits are not seen",
            f"Measure it as well, with an agent started with --pid {front.pid}: it may saturate first",
        )
        return replace(warning, relay=relay)
    if found.is_seen:
        return Watch(finding=_finding(Status.OK, f"{watched(info)} gained {found.statement}"))
    return _unseen(found, info, who, port, holders)


def _unseen(found: Rise, info: AgentInfo, who: str, port: int, holders: Holders) -> Watch:
    stranger = holders.stranger()
    if found.is_seen is None and stranger is not None:
        return _warning(
            f"{who}, but {_named(stranger)} listens on port {port}",
            _remedy(port, stranger, info, holders),
        )
    if found.is_seen is None:
        return _unknown(f"cannot tell whether {watched(info)} serves port {port}: {found.unknown}")
    if stranger is None and any(gain >= 1.0 for gain in found.gained.values()):
        return _warning(
            f"{who}, which gained {found.statement}: the others went elsewhere",
            "If a load balancer spreads connections over several instances, set host and port to one"
            " of them",
        )
    return Watch(
        finding=_finding(
            Status.FAILURE,
            f"{who}, which gained {found.statement}{_listening(info, port, holders)}",
            _remedy(port, stranger, info, holders),
        )
    )


def _listening(info: AgentInfo, port: int, holders: Holders) -> str:
    if stranger := holders.stranger():
        return f"{not_listening(info, port)}, as {_named(stranger)} does"
    if holders.is_watched_among:
        return f", although it listens on port {port}: they reach another host or instance"
    return not_listening(info, port)


def _remedy(port: int, stranger: PortHolder | None, info: AgentInfo, holders: Holders) -> str:
    if stranger is None:
        host = printable(info.host, _SHOWN_LETTERS)
        nobody = f" (no visible process listens there on {host})" if holders.is_known else ""
        return (
            f"Start `capacity agent --port {port}` on the host that serves the connections{nobody}, or"
            " with --pid of the process that does, and correct agent in the target file"
        )
    through = ""
    if stranger.destinations:
        to = stranger.destinations[0]
        pid = f"--pid {to.pid}, {printable(to.name, _SHOWN_LETTERS)}," if to.pid else "--pid of it"
        through = f", or with {pid} if what stands behind it at port {to.port} is meant"
    return (
        f"Start the agent with --pid {stranger.pid} (or --port {port}){through} and correct agent in"
        " the target file"
    )


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
    with contextlib.suppress(HandshakeError):
        for number in range(OPENED):
            endpoint = endpoint_of(target, dialect, channels, values=values.of(number))
            endpoint = replace(endpoint, timeout_s=min(endpoint.timeout_s, _OPEN_S))
            sockets.append(stack.enter_context(open_websocket(endpoint).socket))
            stack.callback(_say_goodbye, sockets[-1])
    return sockets


def _say_goodbye(opened: Any) -> None:
    with contextlib.suppress(OSError):
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
    last_seq, before = before[-1].seq, _last_readings(before)
    while True:
        newer = [sample for sample in source.samples(last_seq) if sample.seq > last_seq]
        found = rise(before, _newest(newer), opened=opened, processes=processes)
        # The first sample may have been begun before the last connection was open.
        read = {name for sample in newer[1:] for name in sample.used}
        is_read = is_decisive and counts <= read
        if found.is_seen or is_read or time.monotonic() > deadline_s:
            return found
        time.sleep(_POLL_S)


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


def _leads_to_watched(holder: PortHolder) -> bool:
    return not holder.is_watched and any(to.is_watched for to in holder.destinations)


def _named(process: PortHolder | Destination) -> str:
    return f"{printable(process.name, _SHOWN_LETTERS)} (pid {process.pid})"


def _finding(status: Status, statement: str, remedy: str | None = None) -> Finding:
    return Finding(name="watched process", status=status, statement=statement, remedy=remedy)


def _warning(statement: str, remedy: str) -> Watch:
    return Watch(finding=_finding(Status.WARNING, statement, remedy))


def _unknown(statement: str) -> Watch:
    return Watch(finding=_finding(Status.UNKNOWN, statement))
