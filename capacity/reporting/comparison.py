"""A comparison in words: for the terminal, for a pull request (at most 60 lines), and as JSON."""

import json
from collections.abc import Sequence

from pydantic import TypeAdapter

from capacity.domain import units
from capacity.domain.answers.comparison import Change, Comparison, LimitChange, Outcome
from capacity.domain.resources import Limit, Resource
from capacity.domain.words import RESOURCES, listed
from capacity.reporting.document import Cell, Row, Section, Table, cells
from capacity.reporting.formats.finite import finite
from capacity.reporting.formats.markdown import escaped, table_lines
from capacity.reporting.words import figure_name, limit, origin

SCHEMA_VERSION = 1
MOST_CHANGES, MOST_LIMITS, MOST_CAVEATS = 20, 8, 6
"""Rows of each kind, so that a comment stays below 60 lines."""

OUTCOMES: dict[Outcome, str] = {
    Outcome.REGRESSION: "regression",
    Outcome.IMPROVEMENT: "improvement",
    Outcome.NO_CHANGE: "no change",
    Outcome.CHANGED: "changed",
}
BLIND_FROM_RATIO = 0.5
"""What would not show a figure that fell by half says nothing of it."""
NONE_SEEN_RATIO = 0.99
_COMPARISON: TypeAdapter[Comparison] = TypeAdapter(Comparison)


def headline(comparison: Comparison) -> str:
    """Return the verdict in one sentence, what got worse first."""
    regressions = _named(comparison, Outcome.REGRESSION)
    better = _named(comparison, Outcome.IMPROVEMENT)
    if regressions:
        return f"Regression: {listed(regressions)}"
    if better:
        return f"Improvement: {listed(better)}"
    if comparison.outcome is Outcome.CHANGED:
        return "Limits changed; no regression was found"
    blind = [
        figure_name(each.figure)
        for each in (*comparison.capacity, *comparison.costs)
        if _is_blind(each)
    ]
    if blind:
        return f"No regression was found; what became of {listed(blind)} is not known"
    return "No regression was found"


def sections(comparison: Comparison) -> tuple[Section, ...]:
    """Return what changed: figures, limits, and what to know about the comparison."""
    costs = [each for each in comparison.costs if each.is_judged]
    changes = _by_weight((*comparison.capacity, *costs, *comparison.delays))
    shown = changes[:MOST_CHANGES]
    more = len(changes) - len(shown)
    found = [
        Section(
            anchor="changes",
            heading="Figures",
            table=Table(
                columns=(
                    "Figure",
                    "Baseline",
                    "Now",
                    "Change",
                    "Chance",
                    "Detectable from",
                    "Verdict",
                ),
                rows=tuple(map(_change, shown)),
                numeric=frozenset({1, 2, 3, 4, 5}),
            ),
            paragraphs=(
                *(
                    (f"{units.counted(more, 'further figure')} without a change.",)
                    if more > 0
                    else ()
                ),
                *_left_out(comparison),
                _method(comparison),
            ),
        )
    ]
    if comparison.limits:
        found.append(
            Section(
                anchor="limits",
                heading="Limits that changed",
                table=Table(
                    columns=("Resource", "Baseline", "Now", "Verdict"),
                    rows=tuple(map(_limit_change, comparison.limits[:MOST_LIMITS])),
                ),
            )
        )
    if comparison.caveats:
        found.append(
            Section(
                anchor="caveats",
                heading="Caveats",
                paragraphs=tuple(comparison.caveats[:MOST_CAVEATS]),
            )
        )
    return tuple(found)


def subtitle(comparison: Comparison) -> str:
    before, after = comparison.bottleneck
    moved = (
        f"the bottleneck is still {RESOURCES[after]}"
        if before is after
        else f"the bottleneck was {RESOURCES[before]} and is {RESOURCES[after]}"
    )
    return f"{_runs(comparison.runs)} against {_runs(comparison.baselines)}; {moved}."


def markdown(comparison: Comparison) -> str:
    """Return the comparison as a comment on a pull request, at most 60 lines."""
    lines = [f"### {escaped(headline(comparison))}", "", escaped(subtitle(comparison)), ""]
    for section in sections(comparison):
        if section.table is not None:
            lines += [*table_lines(section.table), ""]
        lines += [f"- {escaped(paragraph)}" for paragraph in section.paragraphs]
        lines += [""] * bool(section.paragraphs)
    return "\n".join(lines).rstrip() + "\n"


def render_json(comparison: Comparison) -> str:
    content = finite(_COMPARISON.dump_python(comparison, mode="json"))
    document = {
        "schema_version": SCHEMA_VERSION,
        "kind": "comparison",
        "headline": headline(comparison),
        "regressions": list(comparison.regressions),
        "comparison": content,
    }
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def _named(comparison: Comparison, outcome: Outcome) -> list[str]:
    changes = (*comparison.capacity, *comparison.costs, *comparison.delays)
    figures = [
        f"{figure_name(each.figure)} {_percent(each)}"
        for each in changes
        if each.outcome is outcome
    ]
    limits = [
        f"limit of {RESOURCES[each.resource]} {_limit(each.baseline)} → {_limit(each.current)}"
        for each in comparison.limits
        if each.outcome is outcome
    ]
    return [*figures, *limits]


def _method(comparison: Comparison) -> str:
    return (
        f"A change counts from {units.number(comparison.least_effect_ratio * 100)} % and a chance of"
        f" {units.number(comparison.chance_needed * 100, 4)} % on: together the figures give one"
        " false alarm in 100 comparisons. Detectable from: a change of this size is noticed in 95 of 100."
    )


def _left_out(comparison: Comparison) -> tuple[str, ...]:
    names = [
        RESOURCES[Resource(each.figure.removeprefix("cost.").removesuffix("_per_connection"))]
        for each in comparison.costs
        if not each.is_judged
    ]
    if not names:
        return ()
    return (f"Not judged (no measurable cost, or shared by the whole host): {listed(names)}.",)


def _by_weight(changes: Sequence[Change]) -> list[Change]:
    return sorted(changes, key=lambda each: each.outcome is Outcome.NO_CHANGE)


def _change(change: Change) -> Row:
    return (
        Cell(text=figure_name(change.figure), note=change.note),
        *cells(
            _value(change.baseline, change.unit),
            _value(change.current, change.unit),
            _percent_with_interval(change),
            "" if change.chance is None else _chance(change.chance),
            "" if change.seen_from_ratio is None else _seen_from(change),
            _verdict(change),
        ),
    )


def _verdict(change: Change) -> str:
    if not change.is_judged:
        return "not judged"
    if _is_blind(change):
        seen_from = _seen_from(change) if (change.seen_from_ratio or 0.0) < NONE_SEEN_RATIO else ""
        what = f"only a change of {seen_from}" if seen_from else "hardly any change"
        return f"not known: {what} would show"
    return OUTCOMES[change.outcome]


def _is_blind(change: Change) -> bool:
    """Return whether "no change" would be said of a figure that may have changed by half."""
    seen_from = change.seen_from_ratio
    is_unchanged = change.is_judged and change.outcome is Outcome.NO_CHANGE
    return is_unchanged and seen_from is not None and seen_from > BLIND_FROM_RATIO


def _seen_from(change: Change) -> str:
    return f"{change.seen_from_ratio or 0.0:.1%}".replace("%", " %")


def _limit_change(change: LimitChange) -> Row:
    return (
        Cell(text=RESOURCES[change.resource]),
        _limit_cell(change.baseline),
        _limit_cell(change.current),
        Cell(text=OUTCOMES[change.outcome]),
    )


def _limit_cell(known: Limit | None) -> Cell:
    return Cell(text=_limit(known), note="" if known is None else origin(known))


def _limit(known: Limit | None) -> str:
    return "none" if known is None else limit(known)


def _percent(change: Change) -> str:
    if change.ratio is None:
        return "new"
    return f"{change.ratio.mid - 1.0:+.1%}".replace("%", " %")


def _percent_with_interval(change: Change) -> str:
    ratio = change.ratio
    if ratio is None or ratio.low == ratio.high:
        return _percent(change) if ratio is not None else ""
    low, high = (f"{end - 1.0:+.1%}".replace("%", "") for end in (ratio.low, ratio.high))
    return f"{_percent(change)} ({low} to {high} %)"


def _chance(chance: float) -> str:
    percent = chance * 100.0
    return "> 99.9 %" if percent > 99.9 else f"{percent:.1f} %"


def _value(value: float | None, unit: str) -> str:
    if value is None:
        return "not measured"
    if unit == "seconds":
        return units.duration(value)
    if unit == "connections":
        return units.about(value)
    if unit == "cores" and abs(value) < 0.01:
        return f"{units.number(value * 1e3)} millicores"
    return units.quantity(value, unit)


def _runs(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{len(names)} runs ({names[0]} to {names[-1]})"
