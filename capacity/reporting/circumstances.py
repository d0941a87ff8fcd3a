"""What a conclusion stands on: the generator, the quality of the data, the environment."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from capacity.domain import units
from capacity.domain.event_words import event_in_words
from capacity.domain.observation import StepObservation
from capacity.domain.plan import CapacityPlan, Excuse
from capacity.domain.run import RunRecord
from capacity.domain.words import RESOURCES, at_ports
from capacity.reporting.document import Cell, Row, Section, Table, cells
from capacity.reporting.words import NOT_MEASURED, limit, origin, reason

_MOST_ITEMS = 8
_MOST_EVENTS = 60
_MOST_ABSENT = 30


def generator_section(record: RunRecord, plan: CapacityPlan | Excuse) -> Section:
    rows = tuple(_load_on_generator(step) for step in record.steps)
    statement = plan.generator.statement if plan.generator is not None else "Not assessed."
    return Section(
        anchor="generator",
        heading="Load generator health",
        paragraphs=(statement,),
        table=Table(
            columns=(
                "Step",
                "Workers",
                "Scheduling lag p95",
                "Receive queueing p95",
                "CPU, busiest worker",
                "Descriptors used",
            ),
            rows=rows,
            numeric=frozenset({0, 1, 2, 3, 4, 5}),
        )
        if rows
        else None,
    )


def _load_on_generator(step: StepObservation) -> Row:
    health = step.generator
    if health is None:
        return cells(units.step_number(step.index), *[NOT_MEASURED] * 5)
    waited_s = health.queueing_p95_s
    return cells(
        units.step_number(step.index),
        units.count(health.workers),
        units.duration(health.lag_p95_s),
        NOT_MEASURED if waited_s is None else units.duration(waited_s),
        units.share(health.cpu_ratio),
        units.share(health.descriptors_ratio),
    )


def data_quality_section(record: RunRecord) -> Section:
    return Section(
        anchor="data-quality",
        heading="Data quality",
        table=Table(
            columns=("What", "Found"),
            rows=(
                *_clock(record),
                *_sampling(record),
                *_agent_cost(record),
                *_said_by_agent(record),
                *_absent(record),
            ),
        ),
    )


def _clock(record: RunRecord) -> list[Row]:
    offset = record.manifest.clock_offset
    if offset is None:
        return [cells("Agent clock offset", "not measured")]
    found = f"{units.duration(offset.offset_s)}, ± {units.duration(offset.error_s)}"
    return [cells("Agent clock offset", found)]


def _sampling(record: RunRecord) -> list[Row]:
    if not record.samples:
        why = "no agent" if record.manifest.agent is None else "the agent delivered none"
        return [cells("Samples", f"none ({why})")]
    lacking = sum(max(0, b.seq - a.seq - 1) for a, b in pairwise(record.samples))
    intervals_s = sorted(sample.interval_s for sample in record.samples)
    gone = sum(sample.target_started_at is None for sample in record.samples)
    return [
        cells("Samples", f"{units.count(len(record.samples))}, {_gaps(lacking)}"),
        cells(
            "Sampling interval",
            f"median {units.duration(intervals_s[len(intervals_s) // 2])}, max {units.duration(intervals_s[-1])}",
        ),
        cells("Samples while the target was down", units.count(gone)),
    ]


def _gaps(lacking: int) -> str:
    return f"{lacking} missing" if lacking else "no gaps"


def _agent_cost(record: RunRecord) -> list[Row]:
    costs = [
        cost
        for sample in record.samples
        if math.isfinite(cost := sample.gauges.get("agent_cpu_cores", math.nan))
    ]
    if not costs:
        return [cells("Agent overhead (CPU)", "not measured")]
    mean, most = sum(costs) / len(costs), max(costs)
    found = f"mean {units.share(mean)} of a core, max {units.share(most)}"
    return [cells("Agent overhead (CPU)", found)]


def _said_by_agent(record: RunRecord) -> list[Row]:
    agent = record.manifest.agent
    said = list(agent.notes) if agent is not None else []
    said += [
        str(event.detail.get("note", "")) for event in record.events if event.kind == "agent_note"
    ]
    return [cells("Agent note", note) for note in dict.fromkeys(said)]


def _absent(record: RunRecord) -> list[Row]:
    reasons = Counter(item for sample in record.samples for item in sample.missing.items())
    total = len(record.samples)
    return [
        cells(f"Not read: {reason(name)}", f"{why} ({times} of {total} samples)")
        for (name, why), times in reasons.most_common(_MOST_ABSENT)
    ]


def events_section(record: RunRecord) -> Section:
    heading = "Events"
    rows = tuple(
        cells(
            units.duration(event.at - record.manifest.started_at),
            reason(event.kind),
            event_in_words(event.kind, event.detail)
            or "; ".join(f"{key} {value}" for key, value in event.detail.items()),
        )
        for event in record.events
        if event.kind != "phase"
    )
    if not rows:
        return Section(anchor="events", heading=heading, paragraphs=("No event was recorded.",))
    more = len(rows) - _MOST_EVENTS
    return Section(
        anchor="events",
        heading=heading,
        paragraphs=(f"The first {_MOST_EVENTS}; {more} more are in events.jsonl.",)
        if more > 0
        else (),
        table=Table(columns=("After", "What", "Detail"), rows=rows[:_MOST_EVENTS]),
    )


def environment_section(record: RunRecord) -> Section:
    manifest, agent = record.manifest, record.manifest.agent
    rows = [
        cells("Started", units.moment(manifest.started_at)),
        cells("Version", f"capacity {manifest.product_version}, format {manifest.format_version}"),
        cells("Generator and target on the same host", "yes" if manifest.same_host else "no"),
        cells("Upper bound from configured limits", _audited(record)),
    ]
    if agent is None:
        rows.append(cells("Agent", "none: the target's host was not observed"))
    else:
        rows += [
            cells("Agent", f"version {agent.agent_version} on {agent.host}"),
            cells(
                "Target's host",
                f"{units.counted(agent.cores, 'core')}, {units.size(agent.memory_bytes)},"
                f" kernel {agent.kernel}",
            ),
            cells(
                "Target's processes",
                f"{agent.target_name}: {_listed(agent.target_pids)}, started"
                f" {units.moment(agent.target_started_at)} (agent's clock)",
            ),
        ]
    for name, mapping in (
        ("target", manifest.target.document),
        ("profile", manifest.profile),
        ("generator", manifest.generator),
    ):
        rows += [cells(key, value) for key, value in _flat(name, mapping)]
    return Section(
        anchor="environment",
        heading="Environment",
        table=Table(columns=("What", "Value"), rows=tuple(rows)),
    )


def _audited(record: RunRecord) -> str:
    bound, audited_by = record.manifest.audited_bound, record.manifest.audited_by
    if bound is None:
        return "none: no limit could be read before the load"
    return f"{units.count(bound)} connections, set by {reason(audited_by or 'an unnamed limit')}"


def _listed(values: tuple[Any, ...]) -> str:
    shown = ", ".join(str(value) for value in values[:_MOST_ITEMS])
    more = len(values) - _MOST_ITEMS
    return f"{shown} and {more} more" if more > 0 else shown


def _flat(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """Yield every leaf of a settings file with its dotted key."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flat(f"{name}.{key}", inner)
    elif isinstance(value, list | tuple):
        yield name, _listed(tuple(value)) or "none"
    elif value is not None:
        yield name, str(value)


def limits_section(record: RunRecord) -> Section:
    agent, heading = record.manifest.agent, "Limits read by the agent"
    if agent is None or not agent.limits:
        return Section(anchor="limits", heading=heading, paragraphs=("No limit was read.",))
    rows = tuple(
        (
            *cells(at_ports(RESOURCES[known.resource], known.ports)),
            Cell(text=limit(known), note=origin(known)),
        )
        for known in (*agent.limits, *agent.path_limits)
    )
    return Section(
        anchor="limits",
        heading=heading,
        table=Table(columns=("Resource", "Limit"), rows=rows),
    )
