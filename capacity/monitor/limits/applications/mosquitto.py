"""mosquitto: max_connections of a listener, and global_max_connections; none by default.

mosquitto.conf(5). A file without `listener` has one on port 1883, which `port` moves. Not each version
applies the cap to WebSockets (2.0.11 was filled to 2,798 of 700): it is told as a cap all the same, which
errs on the safe side, and says so.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from capacity.domain.resources import MAY_ADMIT_MORE, AuditEntry
from capacity.monitor.limits.applications.config_lines import settings
from capacity.monitor.limits.applications.entries import cap, uncapped
from capacity.monitor.limits.applications.process import Process
from capacity.monitor.limits.applications.settings import Setting, UnclearError

NAMES = frozenset({"mosquitto"})
_KEPT = frozenset(
    {"listener", "port", "protocol", "max_connections", "global_max_connections", "include_dir"}
)
_PORT = 1883
_UNLIMITED = "-1"
_PASSED_BY = f", which some versions (2.0.11) do not apply to WebSockets: {MAY_ADMIT_MORE}"


@dataclass(slots=True)
class _Listener:
    ports: list[int]
    most: Setting | None = None
    is_web: bool = False


def entries(process: Process) -> Iterator[AuditEntry]:
    given = dict(process.options(("-c", "--config-file")))
    named = given.get("-c") or given.get("--config-file")
    if named is None:
        yield uncapped("max_connections", f"{process.command_line}: no configuration file")
        return
    path = process.files.absolute(named)
    found = False
    for setting in _settings(process, path):
        if setting.name == "global_max_connections" and setting.text != _UNLIMITED:
            found = True
            yield cap(setting.name, setting.number(), setting.source)
    for each in _listeners(process, path):
        if each.most is not None and each.ports:
            found = True
            source = f"{each.most.source}{_PASSED_BY if each.is_web else ''}"
            yield cap("max_connections of a listener", each.most.number(), source, each.ports)
    if not found:
        yield uncapped("max_connections", f"{path}: no listener has one")


def _listeners(process: Process, path: str) -> list[_Listener]:
    listeners = [_Listener([_PORT])]
    for setting in _settings(process, path):
        if setting.name == "listener":
            listeners.append(_Listener(_port(setting)))
        elif setting.name == "port":
            listeners[0].ports = [setting.number()]
        elif setting.name == "protocol":
            listeners[-1].is_web = setting.text == "websockets"
        elif setting.name == "max_connections" and setting.text != _UNLIMITED:
            listeners[-1].most = setting
    return listeners


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
