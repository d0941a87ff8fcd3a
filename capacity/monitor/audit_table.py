"""The audit for people: what is measured against its limit first, then every limit where it stands."""

from collections.abc import Iterator, Sequence

from capacity.domain import units
from capacity.domain.resources import AuditEntry, Limit, LimitState
from capacity.domain.sample import AgentInfo, Sample
from capacity.domain.words import RESOURCES, at_ports

_GAP = "  "


def audit_table(info: AgentInfo, sample: Sample) -> str:
    """Return two tables in plain text; what is unknown says why."""
    states = [entry.state for entry in info.audit]
    head = (
        f"{info.target_name} (process {info.target_pids[0]}"
        f"{f' and {len(info.target_pids) - 1} more' if len(info.target_pids) > 1 else ''})"
        f" on {info.host}, Linux {info.kernel}: {units.counted(len(states), 'limit')},"
        f" {states.count(LimitState.UNKNOWN)} of them unknown."
    )
    effective: list[tuple[str, ...]] = [("RESOURCE", "USED", "LIMIT", "SCOPE", "READ FROM")]
    effective += [_resource_row(limit, sample) for limit in info.limits]
    every: list[tuple[str, ...]] = [("NAME", "LIMIT", "SCOPE", "CONSUMED BY", "READ FROM")]
    every += [_entry_row(entry) for entry in info.audit]
    return "\n".join([head, "", *_aligned(effective), "", *_aligned(every), ""])


def _resource_row(limit: Limit, sample: Sample) -> tuple[str, ...]:
    used = sample.used.get(limit.resource)
    return (
        at_ports(RESOURCES[limit.resource], limit.ports),
        "not read" if used is None else units.amount(used, limit.resource),
        limit.state.value if limit.value is None else units.amount(limit.value, limit.resource),
        limit.scope,
        limit.source if limit.reason is None else f"{limit.source} ({limit.reason})",
    )


def _entry_row(entry: AuditEntry) -> tuple[str, ...]:
    return (
        at_ports(entry.name, entry.ports),
        entry.state.value if entry.value is None else units.quantity(entry.value, entry.unit),
        entry.scope,
        entry.scales_with.replace("_", " "),
        entry.source if entry.reason is None else f"{entry.source} ({entry.reason})",
    )


def _aligned(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        yield _GAP.join(cells).rstrip()
