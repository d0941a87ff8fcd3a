"""Reads what a Prometheus server has scraped, during the run and up to its end.

Not by /api/v1/query_range: that evaluates on a grid of its own, repeats a value for five minutes
after the scrape that it is from, and ends at 11,000 points. An instant query of a range selector
(`metric[30s]`, prometheus.io/docs/prometheus/latest/querying/api) returns the scrapes themselves
with their times, so that a scrape that failed is a gap. They are laid into cells of one interval on
Prometheus' clock; each cell with the target in it is a sample, numbered by its place.
"""

import math
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any, NamedTuple

from capacity.domain.errors import ConfigError, UnreachableError
from capacity.domain.outside import is_number, lenient_json
from capacity.domain.run import ClockOffset
from capacity.domain.sample import AgentInfo, PortHolder, Sample
from capacity.domain.words import printable
from capacity.settings.agent import Prometheus
from capacity.sources.clocks import least_error_offset
from capacity.sources.metrics.exporter_samples import (
    NODE_NAMES,
    PROCESS_NAMES,
    Subjects,
    info_of,
    sample_of,
    subjects,
)
from capacity.sources.metrics.series import Rates, Series
from capacity.sources.same_host import boot_id_of
from capacity.sources.web import Answer, Web

_LATE_S = 1.0
"""A scrape is dated to its beginning and stored at its end."""
_BEFORE = 2
"""Cells read ahead of those asked for, for the rates of the first."""
_FIRST_CELLS = 8
_MOST_CELLS = 600
"""In one answer: catching up after a long cut takes several, each far from query.max-samples."""
_SCRAPES_SEEN = 3
_PROBES = 4
_TICK_S = 0.001
"""time() is cut off to it."""


_MISFITS = (ValueError, KeyError, TypeError, IndexError, AttributeError)
"""What JSON of another form than Prometheus' ends in."""


class _Page(NamedTuple):
    answer: Answer
    data: Any
    """What it says, of any form: whoever reads it expects _MISFITS."""


class PrometheusReader:
    """One target and its host, by the labels that their series have."""

    def __init__(self, settings: Prometheus) -> None:
        self._settings = settings
        self._step_s = settings.interval_s
        self.name = f"Prometheus at {settings.url}"
        self.delay_s = self._step_s + _LATE_S + 1.0
        self._web = Web(
            settings.url,
            name=self.name,
            remedy="start it, or correct agent.prometheus.url in the target file",
            token_file=settings.token_file,
            ca_file=settings.ca_file,
            key="agent.prometheus",
        )
        self._who: Subjects | None = None
        self._first_cell: int | None = None

    def info(self) -> AgentInfo:
        """Return what the newest scrapes say. Raises ConfigError and UnreachableError."""
        now = self._now()
        series = self._series(now - _SCRAPES_SEEN * self._step_s - _LATE_S, now)
        self._check_pace(series)
        newest = _newest(series)
        who = self._found(newest)
        return info_of(who, newest, now=self._now(), boot_id=boot_id_of(newest))

    def clock_offset(self) -> ClockOffset:
        """Return Prometheus' clock minus ours: its scrapes are dated by it."""
        return least_error_offset(self._now, _PROBES, tick_s=_TICK_S)

    def samples(self, since: int) -> list[Sample]:
        """Return the samples of the cells after *since*, at most some hundred at once."""
        last_cell = math.floor((self._now() - _LATE_S) / self._step_s) - 1
        if self._first_cell is None:
            self._first_cell = last_cell - _FIRST_CELLS
        first = self._first_cell + since
        last = min(last_cell, first + _MOST_CELLS)
        if last < first:
            return []
        begin = first - _BEFORE
        series = self._series(begin * self._step_s, (last + 1) * self._step_s)
        cells: dict[int, list[Series]] = {}
        for each in series:
            cells.setdefault(math.floor(each.at / self._step_s), []).append(each)
        who = self._found(_newest(series)) if series else None
        rates = Rates()
        found: list[Sample] = []
        for cell in range(begin, last + 1):
            newest = _newest(cells.get(cell, ()))
            if who is None or not any(each.has(who.process) for each in newest):
                continue  # A scrape that failed says nothing of the target.
            sample = sample_of(
                who,
                newest,
                rates,
                seq=cell - self._first_cell + 1,
                at=max(each.at for each in newest if each.has(who.process)),
                interval_s=self._step_s,
                oldest_at=cell * self._step_s,
            )
            if cell >= first:
                found.append(sample)
        return found

    def port_holders(self, port: int) -> tuple[PortHolder, ...] | None:  # noqa: ARG002 - nobody to ask
        return None

    def close(self) -> None:
        self._web.close()

    def _found(self, series: list[Series]) -> Subjects:
        if self._who is None:
            self._who = subjects(
                series,
                self._settings,
                origin=self.name,
                section="agent.prometheus",
            )
        return self._who

    def _check_pace(self, series: list[Series]) -> None:
        """Refuse a server that scrapes the target's metrics more rarely than was said."""
        counts: dict[tuple[str, frozenset[tuple[str, str]]], int] = {}
        for each in series:
            key = each.name, frozenset(each.labels.items())
            counts[key] = counts.get(key, 0) + 1
        if counts and max(counts.values()) < _SCRAPES_SEEN - 1:
            raise ConfigError(
                f"{self.name} has {max(counts.values())} scrape of the target in"
                f" {_SCRAPES_SEEN * self._step_s:.0f} s; set agent.prometheus.interval_s to its"
                " scrape_interval"
            )

    def _now(self) -> float:
        page = self._query("time()")
        try:
            now = _number_in(page.data)
        except _MISFITS:
            raise UnreachableError(self._not_prometheus(page.answer)) from None
        if not is_number(now):
            raise UnreachableError(self._not_prometheus(page.answer))
        return now

    def _series(self, begin_at: float, end_at: float) -> list[Series]:
        """Return what was scraped in [begin_at, end_at)."""
        selectors = (
            _selector(PROCESS_NAMES, self._settings.process),
            _selector(NODE_NAMES, self._settings.node),
        )
        found: list[Series] = []
        for selector in selectors:
            span_ms = round((end_at - begin_at) * 1000)
            page = self._query(f"{selector}[{span_ms}ms]", at=end_at)
            try:
                found += _series_in(page.data, begin_at, end_at)
            except _MISFITS:
                raise UnreachableError(self._not_prometheus(page.answer)) from None
        return found

    def _query(self, query: str, at: float | None = None) -> _Page:
        parameters = {"query": query} if at is None else {"query": query, "time": f"{at:.3f}"}
        page = self._web.fetch("/api/v1/query", parameters)
        try:
            said = lenient_json(page.body)
            if said["status"] == "success":
                return _Page(page, said["data"])
            error = printable(said["error"], 200)
        except _MISFITS:
            raise UnreachableError(self._not_prometheus(page)) from None
        raise UnreachableError(
            f"{self.name} refuses a query ({error}); ask for fewer series with"
            " agent.prometheus.process and .node, or raise its query limits"
        )

    def _not_prometheus(self, page: Answer) -> str:
        if page.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            return (
                f"{self.name} refuses us ({page.status}); set agent.prometheus.token_file"
                " to a file with a token that it takes"
            )
        return (
            f"{self.name} answers {page.status} and no JSON of Prometheus'"
            f" ({page.body[:40]!a}); correct agent.prometheus.url in the target file"
        )


def _number_in(data: Any) -> float:
    """Return the number of a scalar, or of the one element of a vector: some stores answer time() with

    that (VictoriaMetrics). Raises one of _MISFITS.
    """
    result = data["result"]
    if data["resultType"] == "vector":
        (element,) = result
        result = element["value"]
    return float(result[1])


def _series_in(data: Any, begin_at: float, end_at: float) -> list[Series]:
    """Return what an answer says of [begin_at, end_at). Raises one of _MISFITS."""
    found: list[Series] = []
    for entry in data["result"]:
        labels = {str(label): str(value) for label, value in entry["metric"].items()}
        name = labels.pop("__name__")
        found += [
            Series(name=name, labels=labels, value=float(value), at=float(at))
            for at, value in entry["values"]
            if begin_at <= float(at) < end_at
        ]
    return found


def _selector(names: Iterable[str], labels: Mapping[str, str]) -> str:
    matchers = "".join(f',{name}="{value}"' for name, value in labels.items())
    return f'{{__name__=~"{"|".join(names)}"{matchers}}}'


def _newest(series: Iterable[Series]) -> list[Series]:
    """Return the newest reading of each series."""
    newest: dict[tuple[str, frozenset[tuple[str, str]]], Series] = {}
    for each in series:
        key = each.name, frozenset(each.labels.items())
        if key not in newest or each.at >= newest[key].at:
            newest[key] = each
    return list(newest.values())
