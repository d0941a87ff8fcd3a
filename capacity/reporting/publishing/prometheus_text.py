"""A plan in Prometheus' text format, for node_exporter's textfile collector."""

import math
from collections.abc import Iterator, Mapping

from capacity.domain.resource_facts import LATENCIES, UNITS
from capacity.reporting.publishing.publication import Publication

_COST_SUFFIX = {"bytes": "bytes", "cores": "cores", "bytes_per_s": "bytes_per_second"}
"""Costs of other units are counts."""


def render(about: Publication) -> str:
    """Return the metrics, ending in a line feed."""
    return "".join(f"{line}\n" for line in _lines(about))


def _lines(about: Publication) -> Iterator[str]:
    plan, target = about.plan, {"target": about.target}
    capacity = plan.capacity
    yield from _family(
        "capacity_plan_info",
        "What the plan of this target is made of.",
        [
            (
                {
                    **target,
                    "run": plan.run,
                    "bottleneck": plan.binding.value,
                    "version": about.record.manifest.product_version,
                },
                1.0,
            )
        ],
    )
    for name, text, value in (
        ("safe", "Connections that an instance holds with 95 % confidence.", plan.safe_capacity),
        ("low", "Lower end of the capacity's interval.", capacity.low),
        ("mid", "Most likely number of connections that an instance holds.", capacity.mid),
        ("high", "Upper end of the capacity's interval.", capacity.high),
        ("tested", "Most connections that the run held.", plan.highest_connections),
        (
            "target",
            "Connections for each instance to scale by: safe, less headroom.",
            about.connections_per_instance,
        ),
    ):
        yield from _family(f"capacity_plan_{name}_connections", text, [(target, float(value))])
    yield from _family(
        "capacity_plan_measured_timestamp_seconds",
        "When the run of the plan began.",
        [(target, about.record.manifest.started_at)],
    )
    yield from _family(
        "capacity_plan_caveats",
        "Reasons to distrust the plan.",
        [(target, float(len(plan.doubts)))],
    )
    trusted = float(plan.generator.is_trustworthy and not plan.is_beyond_reach)
    yield from _family(
        "capacity_plan_trustworthy", "Whether the plan may be believed.", [(target, trusted)]
    )
    yield from _family(
        "capacity_plan_ceiling_connections",
        "Connections at which one resource alone meets its limit.",
        [({**target, "resource": wall.resource.value}, wall.ceiling.mid) for wall in plan.ladder],
    )
    yield from _costs(about)


def _costs(about: Publication) -> Iterator[str]:
    by_unit: dict[str, list[tuple[Mapping[str, str], float]]] = {}
    for wall in about.plan.ladder:
        if wall.resource in LATENCIES:
            continue
        suffix = _COST_SUFFIX.get(UNITS[wall.resource], "units")
        labels = {"target": about.target, "resource": wall.resource.value}
        cost = wall.cost.marginal_along(about.plan.mix)
        by_unit.setdefault(suffix, []).append((labels, cost))
    for suffix, series in by_unit.items():
        yield from _family(
            f"capacity_plan_connection_cost_{suffix}",
            "Use that one more connection adds with its share of the load.",
            series,
        )


def _family(name: str, about: str, series: list[tuple[Mapping[str, str], float]]) -> Iterator[str]:
    yield f"# HELP {name} {about}"
    yield f"# TYPE {name} gauge"
    for labels, value in series:
        shown = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
        yield f"{name}{{{shown}}} {_number(value)}"


def _number(value: float) -> str:
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return repr(value)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
