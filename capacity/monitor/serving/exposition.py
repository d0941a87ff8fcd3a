"""The latest readings in Prometheus' text format 0.0.4: base units, a limit beside each usage."""

from collections.abc import Iterator

from capacity.domain.resource_facts import UNITS
from capacity.domain.resources import Limit, Resource
from capacity.domain.sample import Sample

_UNIT_SUFFIXES = {
    "bytes": "_bytes",
    "cores": "_cores",
    "bytes_per_s": "_bytes_per_second",
    "files": "_files",
    "entries": "_entries",
    "sockets": "_sockets",
}
"""Descriptors, threads and connections carry their unit in the name of the resource."""


def metrics_text(sample: Sample | None, limits: tuple[Limit, ...]) -> str:
    """Return all metrics; what is missing has no value but a line in capacity_missing."""
    return "".join(f"{line}\n" for line in _lines(sample, limits))


def _lines(sample: Sample | None, limits: tuple[Limit, ...]) -> Iterator[str]:
    for limit, value in _one_each(limits):
        name = metric_name(limit.resource, "_limit")
        yield from _metric(name, "gauge", f"Limit, {limit.scope}: {limit.source}", value)
    if sample is None:
        return
    up = 0.0 if sample.target_started_at is None else 1.0
    yield from _metric("capacity_target_up", "gauge", "Whether the target is there.", up)
    if sample.target_started_at is not None:
        about = "Start of the target's first process."
        name = "capacity_target_start_time_seconds"
        yield from _metric(name, "gauge", about, sample.target_started_at)
    about = "When the values were read."
    yield from _metric("capacity_sample_timestamp_seconds", "gauge", about, sample.at)
    for resource, value in sample.used.items():
        about = f"Usage of {resource.replace('_', ' ')} in {UNITS[resource].replace('_', ' ')}."
        yield from _metric(metric_name(resource), "gauge", about, value)
    for key, value in sample.gauges.items():
        about = f"{key.replace('_', ' ').capitalize()}."
        yield from _metric(f"capacity_{_spelled_out(key)}", "gauge", about, value)
    for key, value in sample.counters.items():
        about = f"{key.replace('_', ' ').capitalize()} since the host started."
        yield from _metric(f"capacity_{_spelled_out(key)}_total", "counter", about, value)
    if sample.missing:
        yield "# HELP capacity_missing What the latest sample lacks, and why."
        yield "# TYPE capacity_missing gauge"
        for key, why in sample.missing.items():
            yield f'capacity_missing{{name="{key}",reason="{_label(why)}"}} 1'


def metric_name(resource: Resource, middle: str = "") -> str:
    """Return what the use of *resource* is called, or with "_limit" its limit."""
    return f"capacity_{resource}{middle}{_UNIT_SUFFIXES.get(UNITS[resource], '')}"


def _spelled_out(key: str) -> str:
    return f"{key.removesuffix('_s')}_seconds" if key.endswith("_s") else key


def _one_each(limits: tuple[Limit, ...]) -> list[tuple[Limit, float]]:
    """Return the smallest known limit of each resource with its value: a metric may stand there once."""
    smallest: dict[Resource, tuple[Limit, float]] = {}
    for limit in limits:
        if limit.value is None:
            continue
        rival = smallest.get(limit.resource)
        if rival is None or limit.value < rival[1]:
            smallest[limit.resource] = limit, limit.value
    return list(smallest.values())


def _metric(name: str, kind: str, about: str, value: float) -> Iterator[str]:
    # A newline would end the comment, a backslash would start an escape.
    yield f"# HELP {name} {about.replace(chr(92), chr(92) * 2).replace(chr(10), ' ')}"
    yield f"# TYPE {name} {kind}"
    yield f"{name} {value!r}"


def _label(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
