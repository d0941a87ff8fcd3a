"""Envoy: what its circuit breakers, its connection-limit filter and its overload manager admit.

Envoy's API, version 3, as far as the bootstrap is JSON; YAML has no reader in the standard library
and is unknown. A cluster without thresholds opens 1024 connections to its hosts at most, of which a
WebSocket takes one.
"""

import json
from collections.abc import Iterator
from typing import Any

from capacity.domain.resources import AuditEntry
from capacity.monitor.limits.applications.entries import cap, told
from capacity.monitor.limits.applications.process import Process
from capacity.monitor.limits.applications.settings import Setting, UnclearError

NAMES = frozenset({"envoy"})
_DEFAULT = 1024
_MOST_DEPTH = 24


def entries(process: Process) -> Iterator[AuditEntry]:
    option = process.option("-c", "--config-path")
    if option is None:
        raise UnclearError(
            "its configuration is on the command line or comes over the network",
            process.command_line,
        )
    path = process.files.absolute(option.text)
    text = process.files.text(path)
    where = f"{path}{process.changed(path)}"
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise UnclearError(
            "it is no JSON; YAML is not read: declare limits.application_connections", path
        ) from None
    resources = _at(document, "static_resources")
    for cluster in _list(resources, "clusters"):
        yield _cluster(cluster, where)
    for listener in _list(resources, "listeners"):
        port = _at(listener, "address", "socket_address", "port_value")
        for limit in _found(listener, "max_connections", 0):
            setting = Setting("max_connections of the filter", str(limit), where)
            yield cap(
                setting.name,
                setting.number(),
                setting.source,
                [port] if isinstance(port, int) else (),
            )
    for limit in _found(_at(document, "overload_manager"), "max_active_downstream_connections", 0):
        setting = Setting("max_active_downstream_connections", str(limit), where)
        yield cap(setting.name, setting.number(), setting.source)


def _cluster(cluster: Any, where: str) -> AuditEntry:
    thresholds = [
        each
        for each in _list(_at(cluster, "circuit_breakers"), "thresholds")
        if _at(each, "priority") in {None, "DEFAULT"}
    ]
    given = [value for each in thresholds if (value := _at(each, "max_connections")) is not None]
    default = "" if given else " (the default, as none is set)"
    setting = Setting("max_connections of a cluster", str(given[0] if given else _DEFAULT), where)
    return told(setting.name, setting.number(), f"{setting.source}{default}")


def _at(value: Any, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _list(value: Any, key: str) -> list[Any]:
    found = _at(value, key)
    return found if isinstance(found, list) else []


def _found(value: Any, key: str, depth: int) -> Iterator[Any]:
    """Yield what stands under *key*, at any depth."""
    if depth > _MOST_DEPTH:
        return
    children = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value if isinstance(value, list) else ())
    )
    for name, child in children:
        if name == key:
            yield child
        yield from _found(child, key, depth + 1)
