"""Redis, Valkey and KeyDB: maxclients, 10,000 by default.

redis.conf. The server keeps 32 descriptors for itself and lowers maxclients where there are too few.
It shows a title instead of its command line (unless set-proc-title is no), so that the file is known
only where the usual one names the port of the title. CONFIG SET changes it unseen.
"""

import re
from collections.abc import Iterator

from capacity.domain.resources import AuditEntry
from capacity.monitor.limits.applications.config_lines import settings
from capacity.monitor.limits.applications.entries import cap
from capacity.monitor.limits.applications.process import Process
from capacity.monitor.limits.applications.settings import Setting, UnclearError
from capacity.monitor.limits.rlimits import soft_open_files

NAMES = frozenset({"redis-server", "valkey-server", "keydb-server"})
_USUAL = (
    "/etc/redis/redis.conf",
    "/etc/redis.conf",
    "/etc/valkey/valkey.conf",
    "/etc/keydb/keydb.conf",
)
_KEPT = frozenset({"maxclients", "port", "include", "set-proc-title"})
_TITLE = re.compile(r"\S*(?:redis|valkey|keydb)-server \S*:(\d+)(?: \[\w+\])?")
_DEFAULT, _OWN_DESCRIPTORS, _MOST_DEPTH, _PORT = 10_000, 32, 8, "6379"


def entries(process: Process) -> Iterator[AuditEntry]:
    title = _TITLE.fullmatch(process.words[0])
    found = _by_title(process, title[1]) if title else _by_words(process)
    setting = found.get("maxclients") or Setting(
        "maxclients", str(_DEFAULT), f"{process.command_line} (the default, as none is set)"
    )
    value, source = setting.number(), setting.source
    open_files = soft_open_files(process.pid, process.proc)
    if open_files is not None and value > open_files - _OWN_DESCRIPTORS:
        value = max(0, open_files - _OWN_DESCRIPTORS)
        source = f"{source}, but {open_files} descriptors less {_OWN_DESCRIPTORS} of its own"
    yield cap("maxclients", value, source)


def _by_title(process: Process, port: str) -> dict[str, Setting]:
    path = process.first_existing(_USUAL)
    found = _read(process, path, 0)
    if (found["port"].text if "port" in found else _PORT) != port:
        raise UnclearError(
            f"it shows a title instead of its command line, and {path} is of another port:"
            " set-proc-title no shows which file it is",
            process.command_line,
        )
    return found


def _by_words(process: Process) -> dict[str, Setting]:
    words = process.words[1:]
    found: dict[str, Setting] = {}
    if words and not words[0].startswith("-"):
        found = _read(process, process.files.absolute(words[0]), 0)
    option = process.option("--maxclients")
    if option is not None:
        found["maxclients"] = Setting("maxclients", option.text, option.where)
    return found


def _read(process: Process, path: str, depth: int) -> dict[str, Setting]:
    if depth > _MOST_DEPTH:
        raise UnclearError(f"files include one another more than {_MOST_DEPTH} deep", path)
    found: dict[str, Setting] = {}
    for setting in settings(process.lines(path), _KEPT):
        if setting.name == "include":
            for included in process.files.matching(process.files.absolute(setting.text)):
                found |= _read(process, included, depth + 1)
        else:
            found[setting.name] = setting
    return found
