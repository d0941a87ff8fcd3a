"""When the capacity is exhausted, and the sensitivity to each limit, as sections."""

from capacity.domain import units
from capacity.domain.answers.sizing import (
    Demand,
    Exhaustion,
    ExhaustionDate,
    Sensitivity,
    Unanswered,
)
from capacity.domain.words import RESOURCES
from capacity.reporting.advice.present import instances_in_words, is_already
from capacity.reporting.advice.sizing import unanswered
from capacity.reporting.document import Cell, Row, Section, Table, cells

_EXHAUSTION = "exhaustion"
_EXHAUSTION_HEADING = "Capacity exhaustion date"


def exhaustion_section(found: Exhaustion | Unanswered, demand: Demand | None = None) -> Section:
    """Return the dates; *demand* is None in plans made before it was kept."""
    if isinstance(found, Unanswered):
        return unanswered(_EXHAUSTION, _EXHAUSTION_HEADING, found)
    growth = found.growth_per_month
    return Section(
        anchor=_EXHAUSTION,
        heading=_EXHAUSTION_HEADING,
        paragraphs=(
            (
                f"{instances_in_words(found, demand)}; demand {found.demand} grows"
                f" by {growth.mid:+.1%} a month ({growth.low:+.1%} to"
                f" {growth.high:+.1%}). The dates include the uncertainty of growth and capacity."
            ),
        ),
        table=Table(
            columns=(
                "Exhausted",
                "Connections",
                "10 % chance by",
                "50 % chance by",
                "90 % chance by",
            ),
            rows=tuple(_date(date, demand) for date in found.dates),
            numeric=frozenset({1}),
        ),
    )


def _date(date: ExhaustionDate, demand: Demand | None) -> Row:
    return (
        Cell(text=date.of),
        Cell(text=units.middle(date.connections), note=units.interval(date.connections)),
        *cells(*(_day(at, demand) for at in (date.early_at, date.middle_at, date.late_at))),
    )


def _day(at: float | None, demand: Demand | None) -> str:
    """Return the day; a time of day would be more than is known."""
    if is_already(at, demand):
        return "already exhausted"
    return "not within 50 years" if at is None else units.moment(at).split(" ", maxsplit=1)[0]


def sensitivity_section(found: tuple[Sensitivity, ...]) -> Section:
    rows = tuple(
        (
            Cell(text=RESOURCES[one.resource]),
            Cell(text=units.number(one.limit_elasticity)),
            Cell(text=units.about(one.capacity_with_more_limit)),
            Cell(text=units.about(one.capacity_with_less_cost)),
        )
        for one in found
    )
    return Section(
        anchor="sensitivity",
        heading="Sensitivity to each limit",
        paragraphs=(
            (
                "Capacity if one limit were 10 % higher, or one cost per connection 10 % lower, all else"
                " unchanged. Only the bottleneck moves it."
            ),
        ),
        table=Table(
            columns=(
                "Resource",
                "Ceiling change per 1 % of limit, %",
                "Capacity at limit + 10 %",
                "Capacity at cost − 10 %",
            ),
            rows=rows,
            numeric=frozenset({1, 2, 3}),
        ),
    )
