"""EMQX: max_connections of a listener; none by default.

EMQX's documentation, version 5 (HOCON): `listeners.tcp.default.max_connections = 1000`, in one line or in
blocks. cluster.hocon, which its dashboard writes, is beaten by emqx.conf, and both by a variable such as
EMQX_LISTENERS__TCP__DEFAULT__MAX_CONNECTIONS; a listener that is off admits nobody and caps nobody.
"""

import re
from collections.abc import Iterator

from capacity.domain.resources import AuditEntry
from capacity.monitor.limits.applications.entries import cap, uncapped
from capacity.monitor.limits.applications.process import Process
from capacity.monitor.limits.applications.settings import Setting

_USUAL = ("/opt/emqx/etc/emqx.conf", "/etc/emqx/emqx.conf")
_WRITTEN = ("/opt/emqx/data/configs/cluster.hocon", "/var/lib/emqx/configs/cluster.hocon")
_VARIABLE = re.compile(r"EMQX_LISTENERS__([A-Z]+)__(\w+?)__(MAX_CONNECTIONS|BIND|ENABLE)")
_KINDS = {"tcp": 1883, "ssl": 8883, "ws": 8083, "wss": 8084}
_UNLIMITED = "infinity"
_OPENED = re.compile(r'([\w."-]+)\s*(?:[=:]\s*)?\{')
_ASSIGNED = re.compile(r'([\w."-]+)\s*[=:]\s*(.+)')
_SUBSTITUTED = re.compile(r"\$\{[^}]*\}")
"""A variable, whose braces are none of a block."""


def emqx_entries(process: Process) -> Iterator[AuditEntry]:
    path = process.first_existing(_USUAL)
    listeners: dict[str, dict[str, Setting]] = {}
    written = [each for each in _WRITTEN if process.files.exists(each)]
    for each in (*written[:1], path):
        for name, setting in _settings(process.lines(each)):
            listeners.setdefault(name, {})[setting.name] = setting
    for name, setting in _variables(process):
        listeners.setdefault(name, {})[setting.name] = setting
    found = False
    for name, own in listeners.items():
        if "enable" in own and own["enable"].text == "false":
            continue
        most = own.get("max_connections")
        if most is not None and most.text != _UNLIMITED:
            found = True
            yield cap(f"max_connections of {name}", most.number(), most.source, _ports(name, own))
    if not found:
        yield uncapped("max_connections", f"{path}: no listener has one")


def _variables(process: Process) -> Iterator[tuple[str, Setting]]:
    where = f"{process.proc}/{process.pid}/environ"
    for name, text in process.environ_below(["EMQX_LISTENERS__"]).items():
        found = _VARIABLE.fullmatch(name)
        if found is not None:
            key = found[3].lower()
            yield f"{found[1]}.{found[2]}".lower(), Setting(key, text.strip('"'), where)


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
        plain = _SUBSTITUTED.sub("$", text)
        bare = plain.partition("#")[0].partition("//")[0].strip().rstrip(",")
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
