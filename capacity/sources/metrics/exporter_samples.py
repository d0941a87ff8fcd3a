"""From exporters' series to what our agent would have said: one target, one host, honest gaps.

Who the target is, is decided once, from the first series seen; from then on only the series with
its labels count. What no exporter here publishes is missing in every sample, and its limit unknown.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from capacity.domain.errors import UnreachableError
from capacity.domain.resource_facts import PROCESS_BYTES
from capacity.domain.resources import Limit, Resource
from capacity.domain.sample import NO_AGENT, AgentInfo, Sample
from capacity.monitor.limits.states import unknown
from capacity.monitor.readings import Reading
from capacity.settings.agent import MetricsSelection
from capacity.sources.metrics import cadvisor, client_library, node_exporter, process_exporter
from capacity.sources.metrics.series import (
    AbsentError,
    Rates,
    Readers,
    Series,
    Values,
    read_all,
    subject,
)

_UNPUBLISHED = (
    Resource.USER_PROCESSES,
    Resource.EPOLL_WATCHES,
    Resource.MEMORY_MAPS,
    Resource.OUTGOING_PORTS,
    *sorted(PROCESS_BYTES),
)
"""No exporter knows them, and any of them may bind."""


class Exporter(Protocol):
    """A module that knows what one kind of exporter says of a process."""

    @property
    def MARKER(self) -> str: ...  # noqa: N802 - a module's constant

    @property
    def NAMES(self) -> tuple[str, ...]: ...  # noqa: N802 - likewise

    @property
    def READERS(self) -> Readers: ...  # noqa: N802 - likewise

    def target_name(self, labels: Mapping[str, str]) -> str: ...

    def started_at(self, values: Values) -> float | None: ...

    def limits(self, values: Values) -> Iterable[Limit]: ...


_KINDS: tuple[tuple[str, Exporter], ...] = (
    ("process-exporter", process_exporter),
    ("the target's own metrics", client_library),
    ("cAdvisor", cadvisor),
)
"""The first that has the target's process is believed."""
PROCESS_NAMES = tuple(name for _, kind in _KINDS for name in kind.NAMES)
NODE_NAMES = node_exporter.NAMES


@dataclass(frozen=True, slots=True, kw_only=True)
class Subjects:
    """Who is watched: one process (group, container) and one host."""

    origin: str
    """As a sentence calls it."""
    kind: str
    exporter: Exporter
    process: Mapping[str, str]
    node: Mapping[str, str] | None
    """None where nobody publishes the host."""
    device: str | None

    def process_values(self, series: Iterable[Series], oldest_at: float) -> Values:
        return Values((s for s in series if s.has(self.process)), oldest_at=oldest_at)

    def node_values(self, series: Iterable[Series], oldest_at: float) -> Values:
        node = self.node
        if node is None:
            return Values(())
        return Values((s for s in series if s.has(node)), oldest_at=oldest_at)


def subjects(
    series: Sequence[Series], selection: MetricsSelection, *, origin: str, section: str
) -> Subjects:
    """Return who the *series* that are selected are about; *section* is its place in the file.

    Raises ConfigError when several fit, UnreachableError when none does.
    """
    host = subject(
        series, node_exporter.MARKER, selection.node, key=f"{section}.node", origin=origin
    )
    for kind, exporter in _KINDS:
        labels = subject(
            series, exporter.MARKER, selection.process, key=f"{section}.process", origin=origin
        )
        if labels is not None:
            return Subjects(
                origin=origin,
                kind=kind,
                exporter=exporter,
                process=labels,
                node=host,
                device=selection.device,
            )
    markers = ", ".join(exporter.MARKER for _, exporter in _KINDS)
    wanted = " ".join(f"{name}={value}" for name, value in selection.process.items())
    raise UnreachableError(
        f"{origin} publishes no process{f' with {wanted}' if wanted else ''} (none of {markers});"
        f" run process-exporter beside the target, or correct {section}.process"
    )


def info_of(
    who: Subjects, series: Sequence[Series], *, now: float, boot_id: str, oldest_at: float = 0.0
) -> AgentInfo:
    """Return what *series* not before *oldest_at* say of the target and its host. Raises UnreachableError."""
    process, node = who.process_values(series, oldest_at), who.node_values(series, oldest_at)
    try:
        started_at = who.exporter.started_at(process)
        uname = node.all("node_uname_info")
        total = node.all("node_memory_MemTotal_bytes")
        limits = (*who.exporter.limits(process), *_host_limits(who, node), *_unknown_limits(who))
    except AbsentError as absent:
        raise UnreachableError(
            f"{who.origin}: {absent}; mend what is published there, or use `capacity agent` instead"
        ) from None
    if started_at is None:
        raise UnreachableError(
            f"{who.origin}: the target is not running ({who.exporter.target_name(who.process)} has"
            " no process); start it"
        )
    named = uname[0].labels if uname else {}
    return AgentInfo(
        agent_version=f"{NO_AGENT}{who.kind}{' and node_exporter' if who.node else ''}",
        host=named.get("nodename") or who.process.get("instance", "unknown"),
        kernel=named.get("release", "unknown"),
        cores=node_exporter.cores(node),
        memory_bytes=int(total[0].value) if total else 0,
        boot_id=boot_id,
        target_name=who.exporter.target_name(who.process),
        target_pids=(),
        target_started_at=started_at,
        limits=limits,
        now=now,
    )


def sample_of(
    who: Subjects,
    series: Sequence[Series],
    rates: Rates,
    *,
    seq: int,
    at: float,
    interval_s: float,
    oldest_at: float,
) -> Sample:
    """Return one sample; what is absent or older than *oldest_at* is missing, with the reason."""
    process = who.process_values(series, oldest_at)
    node = who.node_values(series, oldest_at)
    try:
        started_at = who.exporter.started_at(process)
        readings = read_all(who.exporter.READERS, process, rates)
    except AbsentError as absent:
        started_at, readings = None, _all_missing(who.exporter.READERS, str(absent))
    if who.node is None:
        readings += _all_missing(node_exporter.readers(None), "no node_exporter publishes the host")
    else:
        readings += read_all(node_exporter.readers(who.device), node, rates)
    used = {name: value for reading in readings for name, value in reading.used.items()}
    missing = {name: why for reading in readings for name, why in reading.missing.items()}
    unread = [name for name in Resource if name not in used and name not in missing]
    return Sample(
        seq=seq,
        at=at,
        interval_s=interval_s,
        used=used,
        gauges={name: value for reading in readings for name, value in reading.gauges.items()},
        counters={name: value for reading in readings for name, value in reading.counters.items()},
        missing={**missing, **dict.fromkeys(unread, _silence(who))},
        target_started_at=started_at,
    )


def _silence(who: Subjects) -> str:
    return f"not published by {who.kind}: use `capacity agent` to see it"


def _all_missing(readers: Readers, why: str) -> list[Reading]:
    return [Reading(missing=dict.fromkeys(names, why)) for names, _ in readers]


def _host_limits(who: Subjects, node: Values) -> Iterable[Limit]:
    return () if who.node is None else node_exporter.limits(node, who.device)


def _unknown_limits(who: Subjects) -> Iterable[Limit]:
    return [unknown(name, "host", who.kind, _silence(who)) for name in _UNPUBLISHED]
