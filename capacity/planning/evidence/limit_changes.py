"""What has become of the limits since they were recorded: by place, whatever process they are of now.

A limit is the same where name, scope and place are; the number of a process is no part of its place,
and in a configuration, where lines move, file and line are none.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from capacity.domain import units
from capacity.domain.resources import APPLICATION, AuditEntry
from capacity.domain.sample import AgentInfo

_PROCESS = re.compile(r"/proc/\d+(?=/)")
_Key = tuple[str, str, str, tuple[int, ...], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitChange:
    """One limit that is another one than it was; None where it was not there, or is not any more."""

    name: str
    before: AuditEntry | None
    after: AuditEntry | None

    @property
    def statement(self) -> str:
        """Return "maxconn of frontend in: was 400 connections, is 200 connections"."""
        return f"{self.name}: was {_said(self.before)}, is {_said(self.after)}"

    @property
    def source(self) -> str:
        known = self.after or self.before
        return "" if known is None else known.source


def limit_changes(before: AgentInfo, after: AgentInfo) -> tuple[LimitChange, ...]:
    """Return every limit of the audits that changed, in the order of the newer one."""
    was, is_now = _keyed(before.audit), _keyed(after.audit)
    return tuple(
        LimitChange(name=key[0], before=was.get(key), after=is_now.get(key))
        for key in dict.fromkeys((*is_now, *was))
        if _worth(was.get(key)) != _worth(is_now.get(key))
    )


def _keyed(entries: Iterable[AuditEntry]) -> dict[_Key, AuditEntry]:
    """Return the entries by what tells them apart; those of one place by their order."""
    seen: defaultdict[tuple[str, str, str, tuple[int, ...]], int] = defaultdict(int)
    keyed = {}
    for entry in entries:
        is_own = entry.scope == APPLICATION
        place = "" if is_own else _PROCESS.sub("/proc/PID", entry.source)
        key = (entry.name, entry.scope, place, entry.ports)
        keyed[*key, seen[key]] = entry
        seen[key] += 1
    return keyed


def _worth(entry: AuditEntry | None) -> tuple[str, float | None] | None:
    return None if entry is None else (entry.state.value, entry.value)


def _said(entry: AuditEntry | None) -> str:
    if entry is None:
        return "not there"
    return entry.state.value if entry.value is None else units.quantity(entry.value, entry.unit)
