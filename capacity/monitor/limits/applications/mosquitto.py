"""mosquitto: max_connections of a listener, and global_max_connections; none by default.

mosquitto.conf(5). A file without `listener` has one on port 1883, which `port` moves.
"""

from collections.abc import Iterator

from capacity.domain.resources import AuditEntry
from capacity.monitor.limits.applications.config_lines import settings
from capacity.monitor.limits.applications.entries import cap, uncapped
from capacity.monitor.limits.applications.process import Process, options
from capacity.monitor.limits.applications.settings import Setting, UnclearError

NAMES = frozenset({"mosquitto"})
_KEPT = frozenset({"listener", "port", "max_connections", "global_max_connections", "include_dir"})
_PORT = 1883
_UNLIMITED = "-1"


def entries(process: Process) -> Iterator[AuditEntry]:
    given = dict(options(process.words[1:], ("-c", "--config-file")))
    named = given.get("-c") or given.get("--config-file")
    if named is None:
        yield uncapped("max_connections", f"{process.command_line}: no configuration file")
        return
    path = process.files.absolute(named)
    ports, found = [_PORT], False
    for setting in _settings(process, path):
        if setting.name == "listener":
            ports = _port(setting)
        elif setting.name == "port":
            ports = [setting.number()]
        elif setting.text == _UNLIMITED:
            continue
        elif setting.name == "global_max_connections":
            found = True
            yield cap(setting.name, setting.number(), setting.source)
        elif ports:
            found = True
            yield cap("max_connections of a listener", setting.number(), setting.source, ports)
    if not found:
        yield uncapped("max_connections", f"{path}: no listener has one")


def _port(listener: Setting) -> list[int]:
    port = Setting("listener", (listener.text.split() or [""])[0], listener.where).number()
    return [port] if port else []  # 0 is a Unix socket.


def _settings(process: Process, path: str, *, is_included: bool = False) -> Iterator[Setting]:
    for setting in settings(process.lines(path), _KEPT):
        if setting.name != "include_dir":
            yield setting
        elif is_included:
            raise UnclearError("include_dir in a file that was included", setting.where)
        else:
            folder = process.files.absolute(setting.text)
            for included in process.files.matching(f"{folder}/*.conf"):
                yield from _settings(process, included, is_included=True)
