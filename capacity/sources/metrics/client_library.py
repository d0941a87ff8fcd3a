"""What Prometheus' client libraries publish of the process that they are in.

Names: prometheus.io/docs/instrumenting/writing_clientlibs, process metrics. An exporter publishes
them of itself, which is not the target.
"""

from collections.abc import Iterator, Mapping

from capacity.domain.resources import Limit, Resource
from capacity.monitor.limits.states import known, unknown
from capacity.monitor.readings import Reading
from capacity.sources.metrics.process_exporter import DESCRIPTOR_LIMIT_GAUGE
from capacity.sources.metrics.series import AbsentError, Rates, Readers, Values

MARKER = "process_open_fds"
_MOST_DESCRIPTORS = "process_max_fds"
NAMES = (
    MARKER,
    "process_cpu_seconds_total",
    _MOST_DESCRIPTORS,
    "process_resident_memory_bytes",
    "process_start_time_seconds",
)


def target_name(labels: Mapping[str, str]) -> str:
    return labels.get("job") or "process"


def started_at(values: Values) -> float | None:
    return values.value("process_start_time_seconds")


def limits(values: Values) -> Iterator[Limit]:
    try:
        limit = _read(values, _MOST_DESCRIPTORS)
    except AbsentError as absent:
        yield unknown(Resource.DESCRIPTORS, "process", _MOST_DESCRIPTORS, str(absent))
    else:
        yield known(Resource.DESCRIPTORS, limit, "process", _MOST_DESCRIPTORS)
    where, why = "the target's own metrics", "they publish no limits of cgroups"
    yield unknown(Resource.MEMORY, "cgroup", where, why)


def _descriptors(values: Values, _rates: Rates) -> Reading:
    return Reading(used={Resource.DESCRIPTORS: _read(values, MARKER)})


def _descriptors_limit(values: Values, _rates: Rates) -> Reading:
    return Reading(gauges={DESCRIPTOR_LIMIT_GAUGE: _read(values, _MOST_DESCRIPTORS)})


def _read(values: Values, name: str) -> float:
    """Return a value that no process has below one: who publishes less could not read it."""
    value = values.value(name)
    if value < 1:
        raise AbsentError(f"{name} is {value:.0f}, which no process that serves has")
    return value


def _memory(values: Values, _rates: Rates) -> Reading:
    resident_bytes = _read(values, "process_resident_memory_bytes")
    return Reading(
        used={Resource.MEMORY: resident_bytes}, gauges={"resident_bytes": resident_bytes}
    )


def _cpu(values: Values, rates: Rates) -> Reading:
    return Reading(
        used={Resource.CPU: rates.per_s("CPU time", values.all("process_cpu_seconds_total"))}
    )


READERS: Readers = (
    ((Resource.DESCRIPTORS,), _descriptors),
    ((DESCRIPTOR_LIMIT_GAUGE,), _descriptors_limit),
    ((Resource.MEMORY, "resident_bytes"), _memory),
    ((Resource.CPU,), _cpu),
)
