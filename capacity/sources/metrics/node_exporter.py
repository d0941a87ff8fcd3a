"""node_exporter's view of the host (github.com/prometheus/node_exporter, README: Collectors)."""

from collections.abc import Iterator
from functools import partial

from capacity.domain.resources import Limit, Resource
from capacity.monitor.limits.states import known, unknown, unlimited
from capacity.monitor.readings import Reading
from capacity.sources.metrics.series import AbsentError, Rates, Readers, Series, Values

MARKER = "node_boot_time_seconds"
_ALLOCATED, _MAXIMUM = "node_filefd_allocated", "node_filefd_maximum"
_TOTAL, _AVAILABLE = "node_memory_MemTotal_bytes", "node_memory_MemAvailable_bytes"
_SLAB = "node_memory_Slab_bytes"
_TCP = "node_sockstat_TCP_mem_bytes"
_ENTRIES, _TABLE = "node_nf_conntrack_entries", "node_nf_conntrack_entries_limit"
_SENT, _UP, _SPEED = (
    "node_network_transmit_bytes_total",
    "node_network_up",
    "node_network_speed_bytes",
)
_CPU, _UNAME, _TIME = "node_cpu_seconds_total", "node_uname_info", "node_time_seconds"
_COUNTERS = {
    "retransmits": "node_netstat_Tcp_RetransSegs",
    "segments_sent": "node_netstat_Tcp_OutSegs",
    "listen_overflows": "node_netstat_TcpExt_ListenOverflows",
    "listen_drops": "node_netstat_TcpExt_ListenDrops",
    "syn_cookies_sent": "node_netstat_TcpExt_SyncookiesSent",
    "syn_retransmits": "node_netstat_TcpExt_TCPSynRetrans",
    "retransmission_timeouts": "node_netstat_TcpExt_TCPTimeouts",
}
_ESTABLISHED = "node_netstat_Tcp_CurrEstab"
NAMES = (
    *(MARKER, _ALLOCATED, _MAXIMUM, _TOTAL, _AVAILABLE, _SLAB, _TCP, _ENTRIES, _TABLE),
    *(_SENT, _UP, _SPEED, _CPU, _UNAME, _TIME, *_COUNTERS.values(), _ESTABLISHED),
)
_UNLIMITED_FILES = float((1 << 63) - 1)
"""What systemd sets fs.file-max to."""


def readers(device: str | None) -> Readers:
    """Return who reads what; *device* is the interface that the clients are behind."""
    return (
        ((Resource.FILE_TABLE,), _file_table),
        ((Resource.HOST_MEMORY,), _host_memory),
        ((Resource.TCP_MEMORY,), _tcp_memory),
        ((Resource.CONNTRACK,), _conntrack),
        ((Resource.NETWORK_OUT, "network_tx_bytes"), partial(_network, device)),
        (("kernel_slab_bytes",), _slab),
        (("sockets_established",), _established),
        *(((name,), partial(_counter, name, metric)) for name, metric in _COUNTERS.items()),
    )


def limits(values: Values, device: str | None) -> Iterator[Limit]:
    for resource, scope, metric in (
        (Resource.FILE_TABLE, "host", _MAXIMUM),
        (Resource.HOST_MEMORY, "host", _TOTAL),
        (Resource.CONNTRACK, "namespace", _TABLE),
    ):
        try:
            value = values.value(metric)
        except AbsentError as absent:
            yield unknown(resource, scope, metric, str(absent))
            continue
        if value >= _UNLIMITED_FILES:
            yield unlimited(resource, scope, metric)
        else:
            yield known(resource, value, scope, metric)
    why = "node_exporter publishes no net.ipv4.tcp_mem"
    yield unknown(Resource.TCP_MEMORY, "host", "node_exporter", why)
    yield _link_limit(values, device)
    if cores(values):
        source = f"processors in {_CPU}; quotas of cgroups are not published"
        yield known(Resource.CPU, cores(values), "host", source)


def cores(values: Values) -> int:
    """Return how many processors the host has; 0 when it is not said."""
    return len({each.labels.get("cpu") for each in values.all(_CPU, mode="idle")})


def clients_device(values: Values, device: str | None) -> str:
    """Return the interface that the clients are behind. Raises AbsentError when that is unclear."""
    sent = {each.labels.get("device", ""): each for each in values.all(_SENT)}
    if device is not None:
        if device not in sent:
            raise AbsentError(f"there is no interface {device}, only {', '.join(sent) or 'none'}")
        return device
    up = {each.labels.get("device") for each in values.all(_UP) if each.value == 1}
    chosen = [name for name in sent if name != "lo" and (not up or name in up)]
    if len(chosen) != 1:
        shown = ", ".join(chosen or sent) or "none"
        raise AbsentError(
            f"which interface the clients are behind is unclear ({shown}): name its device"
        )
    return chosen[0]


def _file_table(values: Values, _rates: Rates) -> Reading:
    return Reading(used={Resource.FILE_TABLE: values.value(_ALLOCATED)})


def _host_memory(values: Values, _rates: Rates) -> Reading:
    used_bytes = values.value(_TOTAL) - values.value(_AVAILABLE)
    return Reading(used={Resource.HOST_MEMORY: used_bytes})


def _tcp_memory(values: Values, _rates: Rates) -> Reading:
    return Reading(used={Resource.TCP_MEMORY: values.value(_TCP)})


def _conntrack(values: Values, _rates: Rates) -> Reading:
    return Reading(used={Resource.CONNTRACK: values.value(_ENTRIES)})


def _network(device: str | None, values: Values, rates: Rates) -> Reading:
    series = [values.one(_SENT, device=clients_device(values, device))]
    counters = {"network_tx_bytes": series[0].value}
    try:
        sent_per_s = rates.per_s("bytes sent", series)
    except AbsentError as absent:
        return Reading(counters=counters, missing={Resource.NETWORK_OUT: str(absent)})
    return Reading(used={Resource.NETWORK_OUT: sent_per_s}, counters=counters)


def _slab(values: Values, _rates: Rates) -> Reading:
    return Reading(gauges={"kernel_slab_bytes": values.value(_SLAB)})


def _established(values: Values, _rates: Rates) -> Reading:
    return Reading(gauges={"sockets_established": values.value(_ESTABLISHED)})


def _counter(name: str, metric: str, values: Values, _rates: Rates) -> Reading:
    return Reading(counters={name: values.value(metric)})


def _link_limit(values: Values, device: str | None) -> Limit:
    try:
        speed = values.one(_SPEED, device=clients_device(values, device))
    except AbsentError as absent:
        return unknown(Resource.NETWORK_OUT, "host", _SPEED, str(absent))
    return _speed_limit(speed)


def _speed_limit(speed: Series) -> Limit:
    if speed.value <= 0:  # A virtual interface says -1.
        why = f"{speed.labels.get('device')} does not know its speed"
        return unknown(Resource.NETWORK_OUT, "host", _SPEED, why)
    return known(Resource.NETWORK_OUT, speed.value, "host", _SPEED)
