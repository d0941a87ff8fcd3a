"""The charts of what an operator decides: instances and price, storm, push or poll, exhaustion, changes."""

import math
from datetime import UTC, datetime

from capacity.domain import units
from capacity.domain.answers.comparison import Change, Outcome
from capacity.domain.answers.sizing import BreakEven, Demand, Exhaustion, Sizing, Storm
from capacity.reporting.advice.present import instances_in_words, month
from capacity.reporting.document import Figure
from capacity.reporting.drawing.bars import Bar, Fill, Line, Part, Scale, bars

_YEAR_S = 365.25 * 86_400
_MOST_CHANGES, _WIDEST_CHANGE = 12, 1.0


def sizing_figure(sizing: Sizing) -> Figure | None:
    """Return what each host type costs a month, or how many instances it takes without prices."""
    priced = [host for host in sizing.hosts if host.price_per_month is not None]
    hosts = priced or list(sizing.hosts)
    if not hosts:
        return None
    currency = hosts[0].currency if priced else ""
    values = [h.price_per_month if h.price_per_month is not None else h.instances for h in hosts]
    caption = f"Price per month, {currency}" if priced else "Instances by host type"
    rows = [
        Bar(
            label=host.host,
            parts=[Part(start=0.0, end=value, fill=Fill.TESTED)],
            text=f"{units.count(value)} ({units.count(host.instances)} ×)" if priced
            else units.count(value),
            is_first=index == 0,
        )
        for index, (host, value) in enumerate(zip(hosts, values, strict=True))
    ]  # fmt: skip
    scale = _from_zero(max(values))
    svg = bars("sizing-chart", title=caption, scale=scale, rows=rows)
    return Figure(caption=caption, svg=svg, table=None)


def storm_figure(storm: Storm) -> Figure | None:
    """Return the shortest window of each case, against the one that clients spread over."""
    cases = [case for case in storm.cases if case.shortest_window_s is not None]
    if not cases:
        return None
    windows = [case.shortest_window_s or 0.0 for case in cases]
    rows = [
        Bar(
            label=case.event,
            parts=[Part(start=0.0, end=window_s, fill=Fill.TESTED)],
            text=f"{units.number(window_s)} s",
            is_first=case.is_metastable,
        )
        for case, window_s in zip(cases, windows, strict=True)
    ]
    line = [] if storm.window_s is None else [Line(at=storm.window_s, label="clients' window")]
    return Figure(
        caption="Shortest window in which everybody is back, seconds",
        svg=bars(
            "storm-chart",
            title="Shortest reconnect window",
            scale=_from_zero(max([*windows, storm.window_s or 0.0])),
            rows=rows,
            lines=line,
        ),
        table=None,
    )


def trade_figure(found: BreakEven) -> Figure | None:
    """Return clients of one instance when all are pushed to and when all poll."""
    rows: list[Bar] = []
    ends: list[float] = []
    for trade in found.trades:
        if trade.freshness_s is None or trade.poll_clients is None:
            continue
        if trade.deliveries_per_s != _middle_rate(found):
            continue
        age = units.duration(trade.freshness_s)
        ends += [trade.push_clients, trade.poll_clients]
        if not rows:
            rows.append(_clients("push", trade.push_clients, is_first=True))
        rows.append(_clients(f"poll, {age} old", trade.poll_clients, is_first=False))
    finite = [end for end in ends if math.isfinite(end)]
    if not finite:
        return None
    rate = units.rate(_middle_rate(found), "updates")
    caption = f"Clients of one instance, at {rate} and by the age of polled data (p95)"
    return Figure(
        caption=caption,
        svg=bars(
            "trade-chart",
            title=caption,
            scale=_from_zero(max(finite)),
            rows=rows,
        ),
        table=None,
    )


def _middle_rate(found: BreakEven) -> float:
    """Return the rate of the table nearest to the one measured."""
    rates = {trade.deliveries_per_s for trade in found.trades if trade.freshness_s is not None}
    near = found.premise.deliveries_per_s
    return min(rates, key=lambda rate: (abs(rate - near), rate), default=near)


def _clients(label: str, clients: float, *, is_first: bool) -> Bar:
    return Bar(
        label=label,
        parts=[Part(start=0.0, end=clients, fill=Fill.NEXT if is_first else Fill.TESTED)],
        text=units.about(clients),
        is_first=is_first,
    )


def exhaustion_figure(found: Exhaustion, demand: Demand | None = None) -> Figure | None:
    """Return a row a date: the middle one, and the 80 % between early and late."""
    dates = [date for date in found.dates if date.early_at is not None]
    if not dates:
        return None
    starts = [date.early_at or 0.0 for date in dates]
    ends = [date.late_at or date.middle_at or date.early_at or 0.0 for date in dates]
    low, high = min(starts) - _YEAR_S / 4, max(ends) + _YEAR_S / 4
    years = range(_year(low) + 1, _year(high) + 1)
    ticks = [datetime(year, 1, 1, tzinfo=UTC).timestamp() for year in years]
    rows = [
        Bar(
            label=date.of,
            parts=[Part(start=start, end=end, fill=Fill.OUTER)],
            text=month(date.middle_at, demand),
            dot=date.middle_at,
            is_first=index == 0,
        )
        for index, (date, start, end) in enumerate(zip(dates, starts, ends, strict=True))
    ]
    step = max(len(ticks) // 5, 1)
    return Figure(
        caption=(
            f"When demand reaches what {instances_in_words(found, demand)} carry"
            " (80 % between the ends)"
        ),
        svg=bars(
            "exhaustion-chart",
            title="Exhaustion date",
            scale=Scale(
                low=low, high=high, text=lambda at: str(_year(at + 1)), ticks=tuple(ticks[::step])
            ),
            rows=rows,
        ),
        table=None,
    )


def _year(at: float) -> int:
    return datetime.fromtimestamp(at, UTC).year


def changes_figure(changes: tuple[Change, ...], names: dict[str, str]) -> Figure | None:
    """Return each figure's change against the baseline with its interval; *names* by figure."""
    shown = [each for each in changes if each.ratio is not None and each.is_judged]
    if not shown:
        return None
    reach = max(0.05, *(_reach(each) for each in shown))
    rows = []
    for each in shown[:_MOST_CHANGES]:
        assert each.ratio is not None, "taken above"
        is_worse = each.outcome is Outcome.REGRESSION
        low, mid, high = (
            100 * (end - 1) for end in (each.ratio.low, each.ratio.mid, each.ratio.high)
        )
        rows.append(
            Bar(
                label=names.get(each.figure, each.figure),
                parts=[Part(start=low, end=high, fill=Fill.OUTER)],
                text=f"{mid:+.1f} %" + (", worse" if is_worse else ""),
                dot=mid,
                is_first=is_worse,
            )
        )
    return Figure(
        caption="Change against the baseline, %",
        svg=bars(
            "changes-chart",
            title="Change against the baseline",
            scale=Scale(
                low=-100 * reach,
                high=100 * reach,
                text=lambda value: f"{value:+.0f}" if value else "0",
                ticks=(-100 * reach, 0.0, 100 * reach),
            ),
            rows=rows,
            lines=[Line(at=0.0, label="baseline")],
        ),
        table=None,
    )


def _reach(change: Change) -> float:
    assert change.ratio is not None, "asked only of those that have one"
    ends = (change.ratio.low, change.ratio.high)
    return min(max(abs(end - 1.0) for end in ends), _WIDEST_CHANGE)


def _from_zero(high: float) -> Scale:
    return Scale(low=0.0, high=max(high, 1e-9), text=units.number)
