"""RabbitMQ: its limit on sockets, connection_max of a node, and channel_max of a connection, 2047.

RabbitMQ's guide to configuration: RABBITMQ_CONFIG_FILE or /etc/rabbitmq/rabbitmq.conf, then conf.d.
Limits of a virtual host or a user are in its data base, and not read.

Before version 4.0 it keeps descriptors for its files: beyond nine tenths of what it may have less 97,
less two, a client is accepted and upgraded and then waits for ever (asked of version 3.10: 832 of
1,024, and filled).
"""

import math
import re
from collections.abc import Iterator, Mapping

from capacity.domain.resources import AuditEntry, Resource
from capacity.monitor.limits.applications import rabbitmq_listeners, rabbitmq_memory
from capacity.monitor.limits.applications.config_lines import settings
from capacity.monitor.limits.applications.entries import cap, told, uncapped, unclear
from capacity.monitor.limits.applications.process import Process
from capacity.monitor.limits.applications.settings import Setting
from capacity.monitor.limits.rlimits import soft_open_files
from capacity.monitor.readings import READ_ERRORS

_FOLDER = "/etc/rabbitmq"
_KEPT = (
    frozenset({"connection_max", "channel_max", "num_acceptors.tcp"})
    | rabbitmq_memory.NAMES
    | rabbitmq_listeners.NAMES
)
_UNLIMITED = "infinity"


_FIRST_WITHOUT_SOCKETS = 4
_OF_ITS_OWN, _SOCKETS_RATIO, _SPARE = 97, 0.9, 2
_VERSION = re.compile(r"/(?:rabbitmq_server|rabbit)-(\d+)\.\d")


def rabbitmq_entries(process: Process) -> Iterator[AuditEntry]:
    version = _major_version(process)
    yield from _sockets(process, version)
    variable = process.variable("RABBITMQ_CONFIG_FILE")
    path = f"{_FOLDER}/rabbitmq.conf" if variable is None else variable.text
    if not path.endswith(".conf"):
        path += ".conf"
    paths = [path] if process.files.exists(path) else []
    paths += process.files.matching(f"{_FOLDER}/conf.d/*.conf") if variable is None else []
    found = {
        setting.name: setting
        for each in paths
        for setting in settings(process.lines(each), _KEPT, prefixes=rabbitmq_listeners.PREFIXES)
    }
    yield _watermark(process, found, version)
    channels, most = found.get("channel_max"), found.get("connection_max")
    if channels is not None:
        yield told("channel_max", channels.number(), channels.source, unit="channels")
    yield from rabbitmq_listeners.web_caps(found, path)
    if most is None or most.text == _UNLIMITED:
        yield uncapped("connection_max", f"{path}: none is set")
    else:
        more = rabbitmq_listeners.taken_beyond(found.get("num_acceptors.tcp"), path)
        yield cap(
            "connection_max",
            most.number() + more,
            rabbitmq_listeners.with_acceptors(most, more),
            rabbitmq_listeners.plain_ports(found),
        )


def _sockets(process: Process, version: int | None) -> Iterator[AuditEntry]:
    """Yield how many clients get a socket of those that the process may have."""
    descriptors = soft_open_files(process.pid, process.proc)
    if descriptors is None or (version is not None and version >= _FIRST_WITHOUT_SOCKETS):
        return
    sockets = math.trunc((descriptors - _OF_ITS_OWN) * _SOCKETS_RATIO - _SPARE)
    assumed = "" if version is not None else ", if it is older than 4.0"
    yield cap(
        "sockets that RabbitMQ admits",
        max(0, sockets),
        f"{process.proc}/{process.pid}/limits: {descriptors} descriptors, of which RabbitMQ keeps "
        f"a part for its files{assumed}",
    )


def _watermark(process: Process, found: Mapping[str, Setting], version: int | None) -> AuditEntry:
    try:
        return rabbitmq_memory.watermark(process, found, version)
    except READ_ERRORS as error:
        name, where = "vm_memory_high_watermark", process.command_line
        return unclear(name, error, where, resource=Resource.HEAP, unit="bytes")


def _major_version(process: Process) -> int | None:
    """Return 3 of /usr/lib/rabbitmq/lib/rabbitmq_server-3.10.8/plugins, or of the plugins themselves."""
    try:
        libraries = process.environ(("ERL_LIBS",)).get("ERL_LIBS", "").split(":")
    except PermissionError:
        return None
    plugins = [
        path
        for each in filter(None, libraries)
        for path in process.files.matching(f"{each}/rabbit-*")
    ]
    found = next(filter(None, map(_VERSION.search, libraries + plugins)), None)
    return None if found is None else int(found[1])
