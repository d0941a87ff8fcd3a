"""EMQX: max_connections of a listener; none by default.

emqx.conf (HOCON): `listeners.tcp.default.max_connections = 1000`, in one line or in blocks. A
variable, EMQX_LISTENERS__TCP__DEFAULT__MAX_CONNECTIONS, beats the file.
"""

import re
from collections.abc import Iterator

from capacity.domain.resources import AuditEntry
from capacity.monitor.limits.applications.entries import cap, uncapped
from capacity.monitor.limits.applications.process import Process
from capacity.monitor.limits.applications.settings import Setting

_USUAL = ("/opt/emqx/etc/emqx.conf", "/etc/emqx/emqx.conf")
_KINDS = {"tcp": 1883, "ssl": 8883, "ws": 8083, "wss": 8084}
_UNLIMITED = "infinity"
_OPENED = re.compile(r'([\w."-]+)\s*(?:[=:]\s*)?\{')
_ASSIGNED = re.compile(r'([\w."-]+)\s*[=:]\s*(.+)')


def emqx_entries(process: Process) -> Iterator[AuditEntry]:
    path = process.first_existing(_USUAL)
    listeners: dict[str, dict[str, Setting]] = {}
    for name, setting in _settings(process.lines(path)):
        listeners.setdefault(name, {})[setting.name] = setting
    for kind in _KINDS:
        variable = process.variable(f"EMQX_LISTENERS__{kind.upper()}__DEFAULT__MAX_CONNECTIONS")
        if variable is not None:
            listeners.setdefault(f"{kind}.default", {})["max_connections"] = variable
    found = False
    for name, own in listeners.items():
        most = own.get("max_connections")
        if most is not None and most.text != _UNLIMITED:
            found = True
            yield cap(f"max_connections of {name}", most.number(), most.source, _ports(name, own))
    if not found:
        yield uncapped("max_connections", f"{path}: no listener has one")


def _ports(name: str, own: dict[str, Setting]) -> list[int]:
    bind = own.get("bind")
    text = bind.text.rpartition(":")[2] if bind is not None else ""
    if text.isascii() and text.isdigit() and len(text) < 6:
        return [int(text)]
    default = _KINDS.get(name.partition(".")[0])
    return [default] if default is not None and bind is None else []


def _settings(lines: list[tuple[str, str]]) -> Iterator[tuple[str, Setting]]:
    """Yield kind and name of a listener, and one of its settings."""
    path: list[str] = []
    for text, where in lines:
        bare = text.partition("#")[0].partition("//")[0].strip().rstrip(",")
        opened, assigned = _OPENED.match(bare), _ASSIGNED.match(bare)
        inside = bare[opened.end() :].rstrip("}").strip() if opened else bare
        if opened:
            path.append(opened[1].replace('"', ""))
            assigned = _ASSIGNED.match(inside)
        if assigned:
            parts = ".".join([*path, assigned[1].replace('"', "")]).split(".")
            if parts[0] == "listeners" and len(parts) == 4:
                value = assigned[2].strip().strip('"')
                yield ".".join(parts[1:3]), Setting(parts[3], value, where)
        for _ in range(bare.count("}")):
            del path[-1:]
