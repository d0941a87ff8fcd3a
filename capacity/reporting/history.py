"""The history in words: one run, a trend, an outlook."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from capacity.domain import units
from capacity.domain.estimates import Estimate
from capacity.domain.resources import Resource
from capacity.domain.words import RESOURCES
from capacity.recording.history_row import HistoryRow
from capacity.recording.trends import Point, Trend
from capacity.reporting.document import Fact, Section, Table, cells
from capacity.reporting.words import figure_name

if TYPE_CHECKING:
    from capacity.recording.outlook import Outlook  # Half of the time that a list takes.


def bottleneck(row: HistoryRow) -> str:
    """Return the resource's name as in the report; one that this version does not know as it is."""
    if row.binding is None:
        return ""
    return RESOURCES[Resource(row.binding)] if row.binding in set(Resource) else row.binding


def run_facts(row: HistoryRow) -> tuple[Fact, ...]:
    """Return what the history knows of one run."""
    said = [
        Fact(label="Run", text=row.run),
        Fact(label="Job", text=f"{row.job}, target {row.target}, profile {row.profile}"),
        Fact(label="Started", text=units.moment(row.started_at), note=_late(row)),
        Fact(label="Took", text=units.duration(row.finished_at - row.started_at)),
        Fact(label="Outcome", text=row.outcome.value, note=row.reason or ""),
    ]
    low, mid, high = (
        row.capacity_low_connections,
        row.capacity_mid_connections,
        row.capacity_high_connections,
    )
    if mid is not None and low is not None and high is not None:
        estimate = Estimate(low=low, mid=mid, high=high, confidence=0.9)
        said.append(
            Fact(
                label="Capacity",
                text=f"{units.middle(estimate)} connections",
                note=units.interval(estimate),
            )
        )
    if row.safe_capacity_connections is not None:
        said.append(Fact(label="Safe capacity", text=units.count(row.safe_capacity_connections)))
    if row.binding is not None:
        said.append(Fact(label="Bottleneck", text=bottleneck(row)))
    return tuple(said)


def _late(row: HistoryRow) -> str:
    if row.planned_at is None:
        return ""
    return f"{units.duration(row.started_at - row.planned_at)} after it was due"


def costs_section(row: HistoryRow) -> Section:
    """Return limit and cost of each resource of the run."""
    rows = []
    for name, entry in (row.unit_costs or {}).items():
        resource = Resource(name)
        shown = [
            units.amount(value, resource) if value is not None else "not kept"
            for value in (entry.get("limit"), entry.get("per_connection_along_mix"))
        ]
        ceiling = entry.get("ceiling")
        rows.append(
            cells(
                RESOURCES[resource], *shown, "not kept" if ceiling is None else units.about(ceiling)
            )
        )
    return Section(
        anchor="costs",
        heading="Resources",
        table=Table(
            columns=("Resource", "Limit", "Per connection", "Ceiling"),
            rows=tuple(rows),
            numeric=frozenset({1, 2, 3}),
        ),
    )


def trend_section(found: Trend, most: int) -> Section:
    """Return the latest *most* points, each beside the median of those before it, and the slope."""
    rows = tuple(
        cells(
            units.moment(point.at),
            point.run,
            units.quantity(point.value, found.unit),
            _change(point),
            _mark(point),
        )
        for point in found.points[-most:]
    )
    said = [_slope(found.per_month_ratio)]
    if found.left_out:
        said.append(
            f"{units.counted(found.left_out, 'run')} left out: not comparable with the latest"
        )
    return Section(
        anchor="trend",
        heading=f"Trend of {figure_name(found.figure)}",
        table=Table(
            columns=("Started", "Run", "Value", "Against the median before", ""),
            rows=rows,
            numeric=frozenset({2, 3}),
        ),
        paragraphs=tuple(said),
    )


def _change(point: Point) -> str:
    return "" if point.drift is None else _signed(point.drift.ratio - 1.0)


def _mark(point: Point) -> str:
    if point.drift is None or not (point.drift.has_fallen or point.drift.has_risen):
        return ""
    word = "fell" if point.drift.has_fallen else "rose"
    return f"{word} (weak)" if point.drift.is_weak else word


def _slope(per_month: Estimate | None) -> str:
    if per_month is None:
        return "No slope: fewer than five comparable runs."
    low, high = _signed(per_month.low), _signed(per_month.high)
    known = "" if per_month.low > 0.0 or per_month.high < 0.0 else "; not significant"
    return f"Slope {_signed(per_month.mid)} a month ({low} to {high}, 90 %){known}."


def outlook_facts(found: "Outlook") -> tuple[Fact, ...]:
    """Return when the instances no longer suffice, and what that follows from."""
    capacity = found.capacity_per_month
    return (
        Fact(label="Suffices until", text=_date(found.middle_at, found), note=_dates(found)),
        Fact(
            label="Demand now",
            text=f"{units.about(found.demand_now.mid)} connections",
            note=f"{found.demand}, growing {_signed(found.growth_per_month.mid)} a month",
        ),
        Fact(
            label="Instances carry",
            text=f"{units.about(found.usable.mid)} connections",
            note=(
                f"{units.counted(found.instances, 'instance')} like the one that {found.run} measured,"
                " less headroom"
            ),
        ),
        Fact(
            label="Capacity",
            text="no significant trend" if capacity is None else f"{_signed(capacity.mid)} a month",
        ),
    )


def _dates(found: "Outlook") -> str:
    early, late = _date(found.early_at, found), _date(found.late_at, found)
    return f"with 10 % probability before {early}, with 90 % before {late}"


def _date(at: float | None, found: "Outlook") -> str:
    if at is None:
        return "beyond 50 years"
    if at <= found.now_at:
        return "now"
    days = units.count((at - found.now_at) / 86_400.0)
    return f"{units.moment(at)[:10]} (in {days} days)"


def _signed(ratio: float) -> str:
    return f"{ratio:+.1%}".replace("%", " %")


def facts_text(facts: Sequence[Fact]) -> list[tuple[str, str]]:
    """Return label and text of each fact, its note in brackets."""
    return [(fact.label, fact.text + (f" ({fact.note})" if fact.note else "")) for fact in facts]
