"""The page that published reports are found on: each target with its trend, the latest first."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from markupsafe import Markup

from capacity.domain import units
from capacity.domain.resources import Resource
from capacity.domain.words import RESOURCES
from capacity.reporting.drawing.capacity_trend import capacity_trend
from capacity.reporting.formats.html import ENVIRONMENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """One report beside others; *page* is its address from the index on."""

    run: str
    target: str
    started_at: float
    page: str
    capacity_low_connections: float
    capacity_mid_connections: float
    capacity_high_connections: float | None
    """None: without an end."""
    safe_capacity_connections: int
    bottleneck: str
    caveats: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    run: str
    page: str
    started: str
    capacity: str
    change: str
    safe: str
    bottleneck: str
    caveats: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Series:
    target: str
    trend: Markup
    rows: tuple[_Row, ...]


def render(reports: Iterable[Published]) -> str:
    """Return the page of *reports*, in any order."""
    by_target: dict[str, list[Published]] = {}
    for each in sorted(reports, key=lambda each: (each.started_at, each.run)):
        by_target.setdefault(each.target, []).append(each)
    series = [
        _Series(
            target=target,
            trend=Markup(_trend(number, found)),  # noqa: S704 - we drew it, of numbers and dates
            rows=tuple(_rows(found)),
        )
        for number, (target, found) in enumerate(sorted(by_target.items()))
    ]
    return ENVIRONMENT.get_template("index.html").render(series=series)


def _trend(number: int, found: Sequence[Published]) -> str:
    readings = [
        (
            each.capacity_low_connections,
            each.capacity_mid_connections,
            math.inf if each.capacity_high_connections is None else each.capacity_high_connections,
        )
        for each in found
    ]
    return capacity_trend(f"trend-{number}", readings, (_day(found[0]), _day(found[-1])))


def _day(report: Published) -> str:
    return f"{datetime.fromtimestamp(report.started_at, UTC):%Y-%m-%d}"


def _rows(found: Sequence[Published]) -> list[_Row]:
    rows = []
    before: Published | None = None
    for each in found:
        rows.append(
            _Row(
                run=each.run,
                page=each.page,
                started=units.moment(each.started_at),
                capacity=units.about(each.capacity_mid_connections),
                change="" if before is None else _change(each, before),
                safe=units.count(each.safe_capacity_connections),
                bottleneck=_resource(each.bottleneck),
                caveats=str(each.caveats or ""),
            )
        )
        before = each
    return rows[::-1]


def _change(report: Published, before: Published) -> str:
    if before.capacity_mid_connections <= 0.0:
        return ""
    ratio = report.capacity_mid_connections / before.capacity_mid_connections - 1.0
    return f"{ratio:+.1%}".replace("%", " %")


def _resource(name: str) -> str:
    try:
        return RESOURCES[Resource(name)]
    except (ValueError, KeyError):
        return name
