"""cAdvisor's containers (github.com/google/cadvisor, docs/storage/prometheus.md), kubelet's included.

Memory is the working set, less the active file cache where that is published as well (from cAdvisor
0.50 on): the agent's measure of a limited cgroup. Descriptors and
threads are published only with its process metrics switched on; their limits are of every process,
so that they are known of a container with one.
"""

from collections.abc import Iterator, Mapping

from capacity.domain.resources import Limit, Resource
from capacity.monitor.limits.states import known, unknown, unlimited
from capacity.monitor.readings import Reading
from capacity.sources.metrics.process_exporter import DESCRIPTOR_LIMIT_GAUGE
from capacity.sources.metrics.series import AbsentError, Rates, Readers, Values

MARKER = "container_memory_working_set_bytes"
_ACTIVE_CACHE = "container_memory_total_active_file_bytes"
_OPEN, _PROCESSES = "container_file_descriptors", "container_processes"
_SOFT = "container_ulimits_soft"
_THREADS, _MOST_THREADS = "container_threads", "container_threads_max"
_LIMIT, _CPU = "container_spec_memory_limit_bytes", "container_cpu_usage_seconds_total"
_QUOTA, _PERIOD = "container_spec_cpu_quota", "container_spec_cpu_period"
_START = "container_start_time_seconds"
NAMES = (
    *(
        MARKER,
        _ACTIVE_CACHE,
        _OPEN,
        _PROCESSES,
        _SOFT,
        _THREADS,
        _MOST_THREADS,
        _LIMIT,
        _CPU,
        _QUOTA,
        _PERIOD,
    ),
    _START,
)


def target_name(labels: Mapping[str, str]) -> str:
    return labels.get("container") or labels.get("name") or labels.get("id") or "container"


def started_at(values: Values) -> float | None:
    return values.value(_START)


def limits(values: Values) -> Iterator[Limit]:
    try:
        limit = _descriptor_limit(values)
    except AbsentError as absent:
        yield unknown(Resource.DESCRIPTORS, "process", _SOFT, str(absent))
    else:
        yield known(Resource.DESCRIPTORS, limit, "process", _SOFT)
    for resource, metric in ((Resource.MEMORY, _LIMIT), (Resource.THREADS, _MOST_THREADS)):
        try:
            value = values.value(metric)
        except AbsentError as absent:
            yield unknown(resource, "cgroup", metric, str(absent))
            continue
        # No limit is published as 0.
        yield (
            known(resource, value, "cgroup", metric)
            if value
            else unlimited(resource, "cgroup", metric)
        )
    if values.all(_QUOTA) and values.all(_PERIOD) and values.value(_QUOTA) > 0:
        quota_cores = values.value(_QUOTA) / values.value(_PERIOD)
        yield known(Resource.CPU, quota_cores, "cgroup", f"{_QUOTA} / {_PERIOD}")


def _descriptor_limit(values: Values) -> float:
    return values.value(_SOFT, ulimit="max_open_files")


def _descriptors(values: Values, _rates: Rates) -> Reading:
    opened, processes = values.value(_OPEN), values.value(_PROCESSES)
    if processes != 1:
        raise AbsentError(
            f"the container has {processes:.0f} processes and only the sum of their descriptors"
        )
    used = {Resource.DESCRIPTORS: opened}
    try:
        return Reading(used=used, gauges={DESCRIPTOR_LIMIT_GAUGE: _descriptor_limit(values)})
    except AbsentError as absent:
        return Reading(used=used, missing={DESCRIPTOR_LIMIT_GAUGE: str(absent)})


def _threads(values: Values, _rates: Rates) -> Reading:
    return Reading(used={Resource.THREADS: values.value(_THREADS)})


def _memory(values: Values, _rates: Rates) -> Reading:
    cache = values.value(_ACTIVE_CACHE) if values.all(_ACTIVE_CACHE) else 0.0
    return Reading(used={Resource.MEMORY: max(0.0, values.value(MARKER) - cache)})


def _cpu(values: Values, rates: Rates) -> Reading:
    # One series for each core, or one for them all, by cAdvisor's settings.
    return Reading(used={Resource.CPU: rates.per_s("CPU time", values.all(_CPU))})


READERS: Readers = (
    ((Resource.DESCRIPTORS, DESCRIPTOR_LIMIT_GAUGE), _descriptors),
    ((Resource.THREADS,), _threads),
    ((Resource.MEMORY,), _memory),
    ((Resource.CPU,), _cpu),
)
