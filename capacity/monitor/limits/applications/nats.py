"""NATS: max_connections, 65,536 by default.

The server's documentation of its configuration and server/const.go. Includes are relative to the file
that has them; what a variable says is not followed.
"""

import os
from collections.abc import Iterator

from capacity.domain.resources import AuditEntry
from capacity.monitor.limits.applications.config_lines import settings
from capacity.monitor.limits.applications.entries import cap
from capacity.monitor.limits.applications.process import Process
from capacity.monitor.limits.applications.settings import Setting, UnclearError

NAMES = frozenset({"nats-server", "gnatsd"})
_KEPT = frozenset({"max_connections", "max_conn", "port", "include"})
_DEFAULT, _MOST_DEPTH = 65_536, 8
_PREFIXES = {"k": 1000, "kb": 1024, "m": 1_000_000, "mb": 1 << 20}


def entries(process: Process) -> Iterator[AuditEntry]:
    option = process.option("-c", "--config", "-config")
    setting = Setting(
        "max_connections", str(_DEFAULT), f"{process.command_line} (the default, as none is set)"
    )
    if option is not None:
        for found in _settings(process, process.files.absolute(option.text), 0):
            if found.name.startswith("max_conn"):
                setting = found
    yield cap("max_connections", setting.number(_PREFIXES), setting.source)


def _settings(process: Process, path: str, depth: int) -> Iterator[Setting]:
    """Yield the settings outside of blocks: those of a cluster or an account are others."""
    if depth > _MOST_DEPTH:
        raise UnclearError(f"files include one another more than {_MOST_DEPTH} deep", path)
    level = 0
    for text, where in process.lines(path):
        bare = text.partition("#")[0].partition("//")[0]
        is_json = bare.strip() == "{" and level == 0
        if level == 0:
            for found in settings([(bare.strip().lstrip("{").replace('"', ""), where)], _KEPT):
                if found.name == "include":
                    folder = os.path.dirname(path)  # noqa: PTH120 - a path of another root
                    included = process.files.absolute(found.text.strip("'"), folder)
                    yield from _settings(process, included, depth + 1)
                else:
                    yield found
        level = max(0, level + bare.count("{") - bare.count("}") - is_json)
