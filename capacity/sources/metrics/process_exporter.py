"""process-exporter's process groups (github.com/ncabatoff/process-exporter, README: Metrics).

A group is one or more processes, and most of what is published is their sum. A limit of descriptors
is each process's own, so that it is known of a group of one: as open files over the ratio to the
soft limit (`worst_fd_ratio`), which come from one reading.
"""

from collections.abc import Iterator, Mapping

from capacity.domain.resources import Limit, Resource
from capacity.monitor.limits.states import known, unknown
from capacity.monitor.readings import Reading
from capacity.sources.metrics.series import AbsentError, Rates, Readers, Values

_GROUP = "namedprocess_namegroup_"
MARKER = f"{_GROUP}num_procs"
NAMES = (
    MARKER,
    *(
        _GROUP + name
        for name in (
            "cpu_seconds_total",
            "memory_bytes",
            "num_threads",
            "oldest_start_time_seconds",
            "open_filedesc",
            "worst_fd_ratio",
        )
    ),
)
DESCRIPTOR_LIMIT_GAUGE = "fullest_process_descriptors_limit"
_OPEN, _RATIO = f"{_GROUP}open_filedesc", f"{_GROUP}worst_fd_ratio"


def target_name(labels: Mapping[str, str]) -> str:
    return labels.get("groupname", "process group")


def started_at(values: Values) -> float | None:
    """Return the start of the group's oldest process; None while it has none."""
    if values.value(MARKER) < 1:
        return None
    return values.value(f"{_GROUP}oldest_start_time_seconds")


def limits(values: Values) -> Iterator[Limit]:
    source = f"{_OPEN} / {_RATIO}"
    try:
        limit = _descriptors(values, Rates()).gauges[DESCRIPTOR_LIMIT_GAUGE]
    except AbsentError as absent:
        yield unknown(Resource.DESCRIPTORS, "process", source, str(absent))
    else:
        yield known(Resource.DESCRIPTORS, limit, "process", source)
    where, why = "process-exporter", "it publishes no limits of cgroups"
    yield unknown(Resource.MEMORY, "cgroup", where, why)
    yield unknown(Resource.THREADS, "cgroup", where, why)
    yield known(Resource.EVENT_LOOP, 1.0, "process", "one thread uses at most one core")


def _descriptors(values: Values, _rates: Rates) -> Reading:
    processes, opened = values.value(MARKER), values.value(_OPEN)
    if processes != 1:
        raise AbsentError(
            f"the group has {processes:.0f} processes and only the sum of their descriptors: let"
            " process-exporter's configuration give each process a group, or use `capacity agent`"
        )
    if opened < 1:
        raise AbsentError("process-exporter may not look: run it as the target's user or as root")
    ratio = values.value(_RATIO)
    if ratio <= 0:
        raise AbsentError(f"{_RATIO} is {ratio}")
    return Reading(
        used={Resource.DESCRIPTORS: opened}, gauges={DESCRIPTOR_LIMIT_GAUGE: round(opened / ratio)}
    )


def _threads(values: Values, _rates: Rates) -> Reading:
    return Reading(used={Resource.THREADS: values.value(f"{_GROUP}num_threads")})


def _memory(values: Values, _rates: Rates) -> Reading:
    resident_bytes = values.value(f"{_GROUP}memory_bytes", memtype="resident")
    return Reading(
        used={Resource.MEMORY: resident_bytes}, gauges={"resident_bytes": resident_bytes}
    )


def _cpu(values: Values, rates: Rates) -> Reading:
    cores = rates.per_s("CPU time", values.all(f"{_GROUP}cpu_seconds_total"))
    if values.value(f"{_GROUP}num_threads") == 1:
        return Reading(used={Resource.CPU: cores, Resource.EVENT_LOOP: cores})
    why = "the group has several threads and only the sum of their CPU: use `capacity agent`"
    return Reading(used={Resource.CPU: cores}, missing={Resource.EVENT_LOOP: why})


READERS: Readers = (
    ((Resource.DESCRIPTORS, DESCRIPTOR_LIMIT_GAUGE), _descriptors),
    ((Resource.THREADS,), _threads),
    ((Resource.MEMORY, "resident_bytes"), _memory),
    ((Resource.CPU, Resource.EVENT_LOOP), _cpu),
)
