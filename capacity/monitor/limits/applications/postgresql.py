"""PostgreSQL: max_connections, 100 by default, of which some are kept for superusers.

The manual's chapters on the server's configuration: the command line beats postgresql.auto.conf, which
beats the file. superuser_reserved_connections (3) and reserved_connections (0) are no client's.
"""

import os
from collections.abc import Iterator

from capacity.domain.resources import AuditEntry
from capacity.monitor.limits.applications.config_lines import settings
from capacity.monitor.limits.applications.entries import cap, told
from capacity.monitor.limits.applications.process import Process
from capacity.monitor.limits.applications.settings import Setting, UnclearError

NAMES = frozenset({"postgres", "postmaster"})
_DEFAULTS = {
    "max_connections": 100,
    "superuser_reserved_connections": 3,
    "reserved_connections": 0,
}
_INCLUDES = frozenset({"include", "include_if_exists", "include_dir"})
_KEPT = frozenset({*_DEFAULTS, *_INCLUDES})
_MOST_DEPTH = 10


def entries(process: Process) -> Iterator[AuditEntry]:
    given = _command_line(process)
    data = given["data_directory"].text if "data_directory" in given else None
    if data is None:
        variable = process.variable("PGDATA")
        data = variable.text if variable is not None else None
    path = given["config_file"].text if "config_file" in given else None
    if path is None and data is None:
        raise UnclearError("neither -D nor config_file says where it is", process.command_line)
    path = path or f"{data}/postgresql.conf"
    found = {
        name: Setting(name, str(value), f"{path} (the default, as none is set)")
        for name, value in _DEFAULTS.items()
    }
    _read(process, process.files.absolute(path), found, 0)
    if data is not None and process.files.exists(f"{data}/postgresql.auto.conf"):
        _read(process, f"{data}/postgresql.auto.conf", found, 0)
    found |= {name: setting for name, setting in given.items() if name in _DEFAULTS}
    reserved = [found[name] for name in ("superuser_reserved_connections", "reserved_connections")]
    kept = sum(setting.number() for setting in reserved)
    for setting in reserved:
        yield told(setting.name, setting.number(), setting.source)
    most = found["max_connections"]
    kept_for = f", less {kept} kept for superusers" if kept else ""
    yield cap("max_connections", max(0, most.number() - kept), f"{most.source}{kept_for}")


def _command_line(process: Process) -> dict[str, Setting]:
    """Return the settings that the command line makes: -c NAME=VALUE, --NAME=VALUE, -N, -D."""
    found = {}
    for name, text in process.options(("-c", "-D", "-N")):
        key, _, value = text.partition("=") if name == "-c" else (name, "", text)
        key = {"-D": "data_directory", "-N": "max_connections"}.get(key, key.replace("-", "_"))
        found[key] = Setting(key, value, process.command_line)
    for word in process.words[1:]:
        key, equals, value = word.removeprefix("--").partition("=")
        if word.startswith("--") and equals:
            key = key.replace("-", "_")
            found[key] = Setting(key, value, process.command_line)
    return found


def _read(process: Process, path: str, found: dict[str, Setting], depth: int) -> None:
    if depth > _MOST_DEPTH:
        raise UnclearError(f"files include one another more than {_MOST_DEPTH} deep", path)
    folder = os.path.dirname(path)  # noqa: PTH120 - a path of another root
    for setting in settings(process.lines(path), _KEPT):
        included = process.files.absolute(setting.text, folder)
        if setting.name == "include_dir":
            for each in process.files.matching(f"{included}/*.conf"):
                _read(process, each, found, depth + 1)
        elif setting.name == "include" or (
            setting.name == "include_if_exists" and process.files.exists(included)
        ):
            _read(process, included, found, depth + 1)
        elif setting.name in _DEFAULTS:
            found[setting.name] = setting
