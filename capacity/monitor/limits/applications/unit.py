"""What the systemd unit of the target says: the limits that a restart would bring.

systemd.exec(5), systemd.resource-control(5) and systemd.unit(5): a unit in /etc hides one of the same
name in /run and /usr/lib; files in NAME.d come on top, by their names, and so do those of all services and
of a prefix; an empty value takes back what was set. The running process may have other limits, which are
read where they hold.
"""

import os
from collections.abc import Iterator
from typing import NamedTuple

from capacity.domain.resources import AuditEntry
from capacity.monitor.host.procfs import read_text
from capacity.monitor.limits.applications.config_lines import in_sections, settings
from capacity.monitor.limits.applications.entries import told, unclear
from capacity.monitor.limits.applications.process import Process
from capacity.monitor.limits.applications.settings import Setting, UnclearError

_FOLDERS = (
    "/etc/systemd/system.control",
    "/run/systemd/system.control",
    "/run/systemd/transient",
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
)
_UNLIMITED = "infinity"
_PREFIXES = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}


class _Key(NamedTuple):
    name: str
    unit: str


_KEYS = {
    key.name.lower(): key
    for key in (
        _Key("LimitNOFILE", "descriptors"),
        _Key("LimitNPROC", "threads"),
        _Key("LimitAS", "bytes"),
        _Key("TasksMax", "threads"),
        _Key("MemoryMax", "bytes"),
        _Key("MemoryHigh", "bytes"),
    )
}


def unit_entries(process: Process) -> Iterator[AuditEntry]:
    """Yield the limits in the files of the process's unit; nothing where it has none."""
    unit = unit_of(read_text(f"{process.proc}/{process.pid}/cgroup"))
    if unit is None:
        return
    found: dict[str, Setting] = {}
    for path in _paths(process, unit):
        for section, text, where in in_sections(process.lines(path)):
            if section == "service":
                for setting in settings([(text, where)], _KEYS.keys(), comments="#;"):
                    found[setting.name] = setting
    for name, setting in found.items():
        if not setting.text:
            continue
        key = _KEYS[name]
        shown = Setting(key.name, setting.text.rpartition(":")[0] or setting.text, setting.where)
        label = f"{key.name} of {unit}, from its next start on"
        try:
            value = None if shown.text == _UNLIMITED else shown.number(_PREFIXES)
            yield told(label, value, shown.source, unit=key.unit)
        except UnclearError as error:
            yield unclear(label, error, shown.where, resource=None, unit=key.unit)


def unit_of(cgroup: str) -> str | None:
    """Return the service that the cgroups of a process are of."""
    for line in cgroup.splitlines():
        for part in reversed(line.rpartition(":")[2].split("/")):
            if part.endswith(".service"):
                return part
    return None


def _paths(process: Process, unit: str) -> list[str]:
    """Return the files of a unit in the order in which they count, the last one most."""
    name, at, rest = unit.partition("@")
    names = [unit, f"{name}@.service"] if at and rest != ".service" else [unit]
    main = next(
        (
            f"{folder}/{each}"
            for each in names
            for folder in _FOLDERS
            if process.files.exists(f"{folder}/{each}")
        ),
        None,
    )
    drop_ins: dict[str, str] = {}
    for each in ["service", *_prefixes(unit), *reversed(names)]:
        for folder in reversed(_FOLDERS):
            for path in process.files.matching(f"{folder}/{each}.d/*.conf"):
                drop_ins[os.path.basename(path)] = path  # noqa: PTH119 - a path of another root
    return ([main] if main is not None else []) + [drop_ins[key] for key in sorted(drop_ins)]


def _prefixes(unit: str) -> list[str]:
    """Return "a-.service" and "a-b-.service" for a-b-c.service."""
    parts = unit.removesuffix(".service").partition("@")[0].split("-")
    return [f"{'-'.join(parts[:count])}-.service" for count in range(1, len(parts))]
