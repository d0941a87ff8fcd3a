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
NAMES = (
    MARKER,
    "process_cpu_seconds_total",
    "process_max_fds",
    "process_resident_memory_bytes",
    "process_start_time_seconds",
)


def target_name(labels: Mapping[str, str]) -> str:
    return labels.get("job") or "process"


def started_at(values: Values) -> float | None:
    return values.value("process_start_time_seconds")


def limits(values: Values) -> Iterator[Limit]:
    try:
        limit = values.value("process_max_fds")
    except AbsentError as absent:
        yield unknown(Resource.DESCRIPTORS, "process", "process_max_fds", str(absent))
    else:
        yield known(Resource.DESCRIPTORS, limit, "process", "process_max_fds")
    where, why = "the target's own metrics", "they publish no limits of cgroups"
    yield unknown(Resource.MEMORY, "cgroup", where, why)


def _descriptors(values: Values, _rates: Rates) -> Reading:
    return Reading(
        used={Resource.DESCRIPTORS: values.value(MARKER)},
        gauges={DESCRIPTOR_LIMIT_GAUGE: values.value("process_max_fds")},
    )


def _memory(values: Values, _rates: Rates) -> Reading:
    resident_bytes = values.value("process_resident_memory_bytes")
    return Reading(
        used={Resource.MEMORY: resident_bytes}, gauges={"resident_bytes": resident_bytes}
    )


def _cpu(values: Values, rates: Rates) -> Reading:
    return Reading(
        used={Resource.CPU: rates.per_s("CPU time", values.all("process_cpu_seconds_total"))}
    )


READERS: Readers = (
    ((Resource.DESCRIPTORS, DESCRIPTOR_LIMIT_GAUGE), _descriptors),
    ((Resource.MEMORY, "resident_bytes"), _memory),
    ((Resource.CPU,), _cpu),
)
