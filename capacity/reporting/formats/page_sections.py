"""The sections of the page: those of the story, with one unit a column, and a proof at each number."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from capacity.domain import units
from capacity.domain.answers.comparison import Comparison
from capacity.domain.answers.sizing import BreakEven, Exhaustion, Sizing, Storm, Unanswered
from capacity.domain.plan import CapacityPlan, Excuse, Wall
from capacity.domain.run import RunRecord
from capacity.domain.words import RESOURCES
from capacity.planning.evidence.saturated_steps import judged
from capacity.reporting.comparison import headline, subtitle
from capacity.reporting.document import Figure, Row, Section, Table, cells
from capacity.reporting.drawing.answer_charts import (
    changes_figure,
    exhaustion_figure,
    sizing_figure,
    storm_figure,
    trade_figure,
)
from capacity.reporting.drawing.delay_charts import delay_figures
from capacity.reporting.explanation import explain
from capacity.reporting.explanation import sections as proof_sections
from capacity.reporting.measured import fitted_windows
from capacity.reporting.proofs.answers import QUESTIONS, answer_proof
from capacity.reporting.words import figure_name

_COLUMNS = (
    "Resource",
    "Idle, % of limit",
    "Tested peak, % of limit",
    "Runs out at, connections",
    "90 % from, connections",
    "90 % to, connections",
    "First, % of fits",
    "Gain if raised, connections",
)


def page_sections(
    record: RunRecord,
    plan: CapacityPlan | Excuse,
    sections: Sequence[Section],
    more: Sequence[Section] = (),
) -> tuple[Section, ...]:
    """Return *sections* as the page shows them, with *more* behind the bottlenecks."""
    drawn = _answers(plan)
    found: list[Section] = []
    for section in sections:
        if section.anchor in QUESTIONS and isinstance(plan, CapacityPlan):
            found.append(_answered(record, plan, section, drawn))
        elif section.anchor in drawn:
            found.append(replace(section, figures=drawn[section.anchor]))
        elif section.anchor == "timeline":
            found += [section, *_delays(record)]
        elif section.anchor == "resources" and isinstance(plan, CapacityPlan):
            found.append(_proven(record, plan, section))
        elif section.anchor == "walls" and isinstance(plan, CapacityPlan) and plan.ladder:
            found += [_walls(plan), *more]
        elif section.anchor == "doubts" and section.table is not None:
            found.append(_caveats(section))
        else:
            found.append(section)
    return tuple(found)


def _answers(plan: CapacityPlan | Excuse) -> dict[str, tuple[Figure, ...]]:
    """Return the charts of the answers that there are, by the anchor of their section."""
    advice = plan.advice if isinstance(plan, CapacityPlan) else None
    if advice is None:
        return {}
    figures = {
        "sizing": sizing_figure(advice.sizing) if isinstance(advice.sizing, Sizing) else None,
        "storm": storm_figure(advice.storm) if isinstance(advice.storm, Storm) else None,
        "exhaustion": exhaustion_figure(advice.exhaustion, advice.demand)
        if isinstance(advice.exhaustion, Exhaustion)
        else None,
        "break-even": trade_figure(advice.break_even)
        if isinstance(advice.break_even, BreakEven)
        else None,
    }
    return {anchor: (figure,) for anchor, figure in figures.items() if figure is not None}


def _answered(
    record: RunRecord,
    plan: CapacityPlan,
    section: Section,
    drawn: Mapping[str, tuple[Figure, ...]],
) -> Section:
    """Return the section with its chart and where its numbers come from."""
    proof = answer_proof(section.anchor, record, plan)
    return replace(
        section,
        figures=drawn.get(section.anchor, ()),
        proof=() if isinstance(proof, Unanswered) else proof,
    )


def _delays(record: RunRecord) -> list[Section]:
    figures = delay_figures(record)
    heading = "Delays against connections"
    return [Section(anchor="delays", heading=heading, figures=figures)] if figures else []


def comparison_section(comparison: Comparison) -> Section:
    """Return what changed against a baseline, as one chart with its caveats."""
    changes = (*comparison.capacity, *comparison.costs, *comparison.delays)
    figure = changes_figure(changes, {each.figure: figure_name(each.figure) for each in changes})
    return Section(
        anchor="baseline",
        heading="Against the baseline",
        paragraphs=(headline(comparison), subtitle(comparison), *comparison.caveats),
        figures=() if figure is None else (figure,),
    )


def _walls(plan: CapacityPlan) -> Section:
    remedies = dict.fromkeys(
        f"{RESOURCES[wall.resource]}: {wall.remedy}" for wall in plan.ladder if wall.remedy
    )
    return Section(
        anchor="walls",
        heading="Bottlenecks, in order",
        paragraphs=(
            "Each resource alone, at this workload. Its limit, readings and fit stand under its chart.",
        ),
        table=Table(
            columns=_COLUMNS,
            rows=tuple(_wall(wall) for wall in plan.ladder),
            numeric=frozenset(range(1, len(_COLUMNS))),
        ),
        items=tuple(remedies),
    )


def _wall(wall: Wall) -> Row:
    ceiling = wall.ceiling
    return cells(
        RESOURCES[wall.resource],
        _percent(wall.used_at_baseline, wall),
        _percent(wall.used_at_highest, wall),
        units.middle(ceiling),
        *units.interval_ends(ceiling),
        f"{wall.binding_probability * 100:.0f}",
        "not known" if wall.gain is None else units.about(wall.gain),
    )


def _percent(use: float, wall: Wall) -> str:
    if not wall.limit.value or wall.limit.scope == "met":
        return "not known"
    return units.number(round(use / wall.limit.value * 100, 2))


def _caveats(section: Section) -> Section:
    """Return the caveats as a list: a sentence each, with what to do."""
    assert section.table is not None, "asked only where there are caveats"
    rows = [[cell.text for cell in row] for row in section.table.rows]
    said = (f"{name[:1].upper()}{name[1:]}: {seen} {remedy}" for name, seen, remedy in rows)
    return replace(section, table=None, items=tuple(said))


def _proven(record: RunRecord, plan: CapacityPlan, section: Section) -> Section:
    """Return the charts of the resources, each with where its number comes from."""
    record = judged(record)
    windows = fitted_windows(record)
    figures: list[Figure] = [
        replace(figure, proof=proof_sections(explain(record, plan, wall, windows)))
        for figure, wall in zip(section.figures, plan.ladder, strict=True)
    ]
    return replace(section, figures=tuple(figures))
