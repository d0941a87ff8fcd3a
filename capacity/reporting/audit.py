"""Every limit in every place it is set, as the agent found it before the load."""

from capacity.domain import units
from capacity.domain.resources import AuditEntry, LimitState
from capacity.domain.run import RunRecord
from capacity.domain.words import at_ports
from capacity.reporting.document import Cell, Row, Section, Table, cells

_HEADING = "All audited limits"


def audit_section(record: RunRecord) -> Section:
    """Return what no collector may measure as well: what storms and slow readers would meet."""
    agent = record.manifest.agent
    if agent is None or not agent.audit:
        return Section(anchor="audit", heading=_HEADING, paragraphs=("No limit was audited.",))
    unknown = sum(entry.state is LimitState.UNKNOWN for entry in agent.audit)
    return Section(
        anchor="audit",
        heading=_HEADING,
        paragraphs=(f"{units.counted(len(agent.audit), 'limit')}, {unknown} of them unknown.",),
        table=Table(
            columns=("Limit", "Value", "Consumed by"),
            rows=tuple(_row(entry) for entry in agent.audit),
        ),
    )


def _row(entry: AuditEntry) -> Row:
    place = f"{entry.scope}: {entry.source}"
    return (
        Cell(
            text=at_ports(entry.name, entry.ports),
            note=place if entry.reason is None else f"{place}; {entry.reason}",
        ),
        *cells(_value(entry), entry.scales_with.replace("_", " ")),
    )


def _value(entry: AuditEntry) -> str:
    if entry.value is None:
        return entry.state.value
    return units.quantity(entry.value, entry.unit)
