"""The order of a report: first the answer, then why, then what it stands on."""

from collections.abc import Sequence
from dataclasses import replace

from capacity.domain import units
from capacity.domain.plan import CapacityPlan, Excuse
from capacity.domain.run import RunRecord
from capacity.planning.caveats.run_record import unexplained
from capacity.reporting.advice.advice import advice_sections
from capacity.reporting.audit import audit_section
from capacity.reporting.circumstances import (
    data_quality_section,
    environment_section,
    events_section,
    generator_section,
    limits_section,
)
from capacity.reporting.document import Fact, Section, Story, Verdict
from capacity.reporting.drawing.charts import resource_figures
from capacity.reporting.drawing.timeline import connections_figure
from capacity.reporting.freshness import freshness_section
from capacity.reporting.steps import (
    latency_section,
    opening_section,
    orders_section,
    polls_section,
    steps_section,
)
from capacity.reporting.storm_drill import storm_drill_sections
from capacity.reporting.verdict import verdict
from capacity.reporting.walls import (
    assumptions_section,
    doubts_section,
    ladder_section,
    no_ceiling_section,
)

_MOST_MISSING = 20


def story(record: RunRecord, plan: CapacityPlan | Excuse, notices: Sequence[str] = ()) -> Story:
    """Return the whole report as text, the same run and plan giving the same report.

    *notices* say what is not as it was in earlier runs; they come before everything else.
    """
    manifest = record.manifest
    target = manifest.target.name or "a target without a name"
    lacking = unexplained(record)
    missing = lacking[:_MOST_MISSING]
    if len(lacking) > _MOST_MISSING:
        missing = [*missing, f"and {len(lacking) - _MOST_MISSING} more"]
    return Story(
        run=manifest.run,
        title=f"Capacity of {target}",
        subtitle=(
            f"run {manifest.run}, {units.moment(manifest.started_at)},"
            f" profile {manifest.profile.get('name', 'without a name')}"
        ),
        verdict=_noticed(verdict(plan), notices),
        missing=tuple(missing),
        sections=(
            ladder_section(plan),
            doubts_section(plan.doubts),
            assumptions_section(plan),
            *storm_drill_sections(record, plan),
            *advice_sections(plan),
            _timeline_section(record),
            _resources_section(record, plan),
            latency_section(record),
            opening_section(record),
            polls_section(record),
            *((orders_section(record),) if any(step.orders for step in record.steps) else ()),
            *((fresh,) if (fresh := freshness_section(record)) is not None else ()),
            steps_section(record),
            no_ceiling_section(plan),
            generator_section(record, plan),
            data_quality_section(record),
            events_section(record),
            environment_section(record),
            limits_section(record),
            audit_section(record),
        ),
    )


def _noticed(answer: Verdict, notices: Sequence[str]) -> Verdict:
    facts = tuple(Fact(label="Since earlier runs", text=notice) for notice in notices)
    return replace(answer, facts=(*facts, *answer.facts))


def _timeline_section(record: RunRecord) -> Section:
    figure = connections_figure(record)
    return Section(
        anchor="timeline",
        heading="Connections over time",
        paragraphs=() if figure else ("Neither a step nor a sample was recorded.",),
        figures=(figure,) if figure else (),
    )


def _resources_section(record: RunRecord, plan: CapacityPlan | Excuse) -> Section:
    figures = resource_figures(record, plan)
    return Section(
        anchor="resources",
        heading="Each resource against connections",
        paragraphs=() if figures else ("No resource was sampled on a usable plateau.",),
        figures=figures,
    )
