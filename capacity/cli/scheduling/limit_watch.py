"""Which limits of a job's target are others than its last run recorded; read before any load, and without any.

A limit that counts and became smaller, or is there now where none was, is a regression; what else changed in
a server's configuration is told.
"""

import contextlib
from pathlib import Path

from capacity.domain.errors import CapacityError
from capacity.domain.resources import APPLICATION, AuditEntry, LimitState
from capacity.domain.sample import AgentInfo
from capacity.planning.evidence.limit_changes import LimitChange, limit_changes
from capacity.recording import run_directory
from capacity.recording.notices import Notice, NoticeKind
from capacity.settings.target import Target
from capacity.sources.source_of_target import open_source

_SAME_RATIO = 1e-3
"""What a host's memory differs by from boot to boot is no change."""


def changed_limits(runs: Path, job: str, target: Target) -> list[Notice]:
    """Return what changed since the newest run of *job* below *runs* that recorded limits, regressions first.

    Nothing where there is none yet, and where no agent can be asked: it is away, which the run says itself,
    or it only sends.
    """
    before = _recorded(runs, job)
    if before is None or target.agent is None or target.agent.listen is not None:
        return []
    try:
        source = open_source(target)
        if source is None:
            return []
        with contextlib.closing(source):
            now = source.info()
    except CapacityError:
        return []
    changes = limit_changes(before, now) if now.audit else ()
    found = [_notice(change) for change in changes if _matters(change)]
    return sorted(found, key=lambda notice: not notice.is_regression)


def _recorded(runs: Path, job: str) -> AgentInfo | None:
    named = (path for path in runs.glob(f"*-{job}") if path.name.partition("-")[2] == job)
    for path in sorted(named, reverse=True):
        with contextlib.suppress(CapacityError):
            agent = run_directory.load(path).manifest.agent
            if agent is not None and agent.audit:
                return agent
    return None


def _matters(change: LimitChange) -> bool:
    """Leave out what came or went with a place, such as a container's group, and what hardly moved."""
    before, after = change.before, change.after
    if before is None or after is None:
        known = after or before
        return known is not None and known.scope == APPLICATION
    if before.value is None or after.value is None:
        return True
    return abs(after.value - before.value) > _SAME_RATIO * max(before.value, after.value)


def _notice(change: LimitChange) -> Notice:
    lowered = _is_lower(change.before, change.after)
    raised = _is_lower(change.after, change.before)
    kind = NoticeKind.LIMIT_LOWERED if lowered else NoticeKind.LIMIT_RAISED
    return Notice(
        kind=kind if lowered or raised else NoticeKind.LIMIT_CHANGED,
        statement=f"{change.statement} ({change.source})",
        is_regression=lowered and change.after is not None and change.after.resource is not None,
    )


def _is_lower(before: AuditEntry | None, after: AuditEntry | None) -> bool:
    if before is None or after is None or after.value is None:
        return False
    return before.state is LimitState.UNLIMITED or (
        before.value is not None and after.value < before.value
    )
