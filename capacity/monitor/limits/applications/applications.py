"""The limits that the applications of a target set themselves, read again only where a file changed.

A target may be several programs: of each the topmost process is asked, and where there is more than
one, its limits hold for the ports that it listens on. Whatever cannot be read is unknown, with the
reason, and ends nothing.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from capacity.domain.resources import AuditEntry, Limit
from capacity.monitor.host.discovery import held_sockets
from capacity.monitor.host.procfs import TICKS_PER_S, read_text
from capacity.monitor.host.sock_diag import Listener
from capacity.monitor.host.target import TargetView, read_stat
from capacity.monitor.limits.applications.entries import limits_of, told, unclear
from capacity.monitor.limits.applications.process import Process, files_of, names_of
from capacity.monitor.limits.applications.registry import READERS, program_of
from capacity.monitor.limits.applications.unit import unit_entries
from capacity.monitor.readings import READ_ERRORS

MOST_APPLICATIONS = 64
"""Looked at in one target; more are counted and not read."""
MOST_NAMED = 1000
"""Processes of a target that are looked at, the first ones first: parents come before children."""
MOST_SHOWN = 100
"""Settings of one application in the audit; all of them count."""
_NAME = "connections of the application"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Application:
    program: str
    pid: int
    names: tuple[str, ...]
    words: tuple[str, ...]
    workers: int
    started_ticks: int
    youngest_ticks: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    application: _Application
    listening: int
    process: Process
    entries: tuple[AuditEntry, ...]


class Applications:
    """Follows the applications of one target."""

    def __init__(self) -> None:
        self.entries: tuple[AuditEntry, ...] = ()
        """As they were read last."""
        self._read: dict[tuple[int, int], _Read] = {}
        self._names: dict[tuple[int, int], tuple[tuple[str, ...], tuple[str, ...]]] = {}

    def limits(self, target: TargetView, listeners: Sequence[Listener] = ()) -> list[Limit]:
        """Return the cap on connections for each set of ports, where any is known of."""
        found = list(self._applications(target))
        known = {(each.pid, each.started_ticks): each for each in found[:MOST_APPLICATIONS]}
        read: dict[tuple[int, int], _Read] = {}
        for key, application in known.items():
            ours = list(listeners)
            if len(known) > 1:
                ours = _held(application.pid, target.proc, ours)
            before = self._read.get(key)
            addresses = len({(each.address, each.port) for each in ours})
            if before is None or not _is_as_before(before, application, addresses):
                before = _look(application, addresses, target.proc)
            read[key] = before
            if len(known) > 1:
                ports = tuple(sorted({each.port for each in ours}))
                read[key] = replace(before, entries=tuple(_at(before.entries, ports)))
        self._read = read
        every = [entry for each in read.values() for entry in each.entries]
        self.entries = tuple(entry for each in read.values() for entry in _shown(each))
        if len(found) > MOST_APPLICATIONS:
            reason = ValueError(f"the target is {len(found)} applications; the first were read")
            every.append(unclear(_NAME, reason, target.proc))
            self.entries += (every[-1],)
        return limits_of(every)

    def _applications(self, target: TargetView) -> Iterator[_Application]:
        """Yield the topmost process of each application."""
        stats = islice(target.stats.items(), MOST_NAMED)
        keys = {pid: (pid, stat.started_ticks) for pid, stat in stats}
        self._names = {
            key: self._names[key] if key in self._names else _named(pid, target.proc)
            for pid, key in keys.items()
        }
        programs = {pid: program_of(self._names[key][0]) for pid, key in keys.items()}
        masters = dict(_masters(programs, target))
        for pid, members in masters.items():
            stat = target.stats.get(pid) or read_stat(pid, target.proc)
            names, words = _named(pid, target.proc)  # Anew: a master may change its title.
            program = program_of(names)
            if stat is None or program is None:
                continue
            yield _Application(
                program=program,
                pid=pid,
                names=names,
                words=words,
                workers=sum(_is_worker(self._names[keys[member]][1]) for member in members),
                started_ticks=stat.started_ticks,
                youngest_ticks=max([stat.started_ticks, *(keys[member][1] for member in members)]),
            )


def _masters(
    programs: dict[int, str | None], target: TargetView
) -> Iterator[tuple[int, list[int]]]:
    """Yield the topmost process of each program, and those of the same that it started."""
    members: dict[int, list[int]] = {}
    for pid, program in programs.items():
        if program is None:
            continue
        top, seen = pid, {pid}
        while True:
            stat = target.stats.get(top) or read_stat(top, target.proc)
            parent = stat.parent_pid if stat is not None else 0
            if parent <= 1 or parent in seen:
                break
            parents = programs.get(parent)
            if parent not in programs:
                parents = program_of(_named(parent, target.proc)[0])
            if parents != program:
                break
            top = parent
            seen.add(top)
        if top == pid:
            members.setdefault(top, [])
        else:
            members.setdefault(top, []).append(pid)
    yield from members.items()


def _named(pid: int, proc: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    try:
        return names_of(pid, proc)
    except OSError:
        return (), ()  # It ended.


def _is_worker(words: tuple[str, ...]) -> bool:
    """Tell a worker from what else a master starts: nginx's cache managers, workers that end."""
    title = words[0] if words else ""
    return not title.startswith("nginx: ") or title == "nginx: worker process"


def _is_as_before(before: _Read, application: _Application, listening: int) -> bool:
    return (
        before.application == application
        and before.listening == listening
        and before.process.files.is_unchanged()
    )


def _look(application: _Application, listening: int, proc: str) -> _Read:
    process = Process(
        pid=application.pid,
        names=application.names,
        words=application.words,
        files=files_of(application.pid, proc),
        started_at=_booted_at(proc) + application.youngest_ticks / TICKS_PER_S,
        workers=application.workers,
        listening=listening,
        proc=proc,
    )
    entries: list[AuditEntry] = []
    source = f"{process.command_line}: {application.program}"
    try:
        entries.extend(READERS[application.program](process))
    except READ_ERRORS as error:
        entries.append(unclear(f"{_NAME} {application.program}", error, source))
    try:
        entries.extend(unit_entries(process))
    except READ_ERRORS as error:
        entries.append(unclear("limits of its unit", error, source, resource=None))
    return _Read(
        application=application, listening=listening, process=process, entries=tuple(entries)
    )


def _shown(read: _Read) -> tuple[AuditEntry, ...]:
    """Return the entries of one application for the audit, and how many there are beyond."""
    beyond = len(read.entries) - MOST_SHOWN
    if beyond <= 0:
        return read.entries
    more = told(
        f"more settings of {read.application.program}, not shown",
        beyond,
        read.process.command_line,
        unit="settings",
    )
    return (*read.entries[:MOST_SHOWN], more)


def _booted_at(proc: str) -> float:
    lines = read_text(f"{proc}/stat").splitlines()
    return next((float(line.split()[1]) for line in lines if line.startswith("btime ")), 0.0)


def _held(pid: int, proc: str, listeners: list[Listener]) -> list[Listener]:
    try:
        held = held_sockets(pid, proc)
    except OSError:
        return listeners
    return [each for each in listeners if each.inode in held]


def _at(entries: Iterable[AuditEntry], ports: tuple[int, ...]) -> Iterator[AuditEntry]:
    for entry in entries:
        yield entry if entry.ports else replace(entry, ports=ports)
