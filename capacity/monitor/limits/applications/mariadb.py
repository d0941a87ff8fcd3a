"""MariaDB and MySQL: max_connections, 151 by default, and one more for who administers.

Option files of both manuals: the groups that the server reads, later files over earlier ones, the
command line over all. SET GLOBAL changes it unseen.
"""

from collections.abc import Iterator

from capacity.domain.resources import AuditEntry
from capacity.monitor.limits.applications.config_lines import in_sections, settings
from capacity.monitor.limits.applications.entries import cap
from capacity.monitor.limits.applications.process import Process
from capacity.monitor.limits.applications.settings import Setting, UnclearError

NAMES = frozenset({"mariadbd", "mysqld"})
_USUAL = ("/etc/my.cnf", "/etc/mysql/my.cnf")
_GROUPS = ("mysqld", "server", "mariadb", "mariadbd")
_DEFAULT, _MOST_DEPTH = 151, 8


def entries(process: Process) -> Iterator[AuditEntry]:
    setting = Setting(
        "max_connections", str(_DEFAULT), f"{process.command_line} (the default, as none is set)"
    )
    for path in _paths(process):
        for found in _settings(process, path, 0):
            setting = found
    for name in ("--max-connections", "--max_connections"):
        setting = process.option(name) or setting
    setting = Setting("max_connections", setting.text, setting.where)
    yield cap("max_connections", setting.number(), setting.source)


def _paths(process: Process) -> list[str]:
    if "--no-defaults" in process.words:
        return []
    only, extra = process.option("--defaults-file"), process.option("--defaults-extra-file")
    if only is not None:
        return [process.files.absolute(only.text)]
    paths = [path for path in _USUAL if process.files.exists(path)]
    return paths + ([] if extra is None else [process.files.absolute(extra.text)])


def _settings(process: Process, path: str, depth: int) -> Iterator[Setting]:
    if depth > _MOST_DEPTH:
        raise UnclearError(f"files include one another more than {_MOST_DEPTH} deep", path)
    for section, text, where in in_sections(process.lines(path)):
        words = text.split()
        if words[:1] == ["!include"] and len(words) == 2:
            yield from _settings(process, process.files.absolute(words[1]), depth + 1)
        elif words[:1] == ["!includedir"] and len(words) == 2:
            for included in process.files.matching(f"{process.files.absolute(words[1])}/*.cnf"):
                yield from _settings(process, included, depth + 1)
        elif section.startswith(_GROUPS):
            yield from settings(
                [(text, where)], {"max_connections", "max-connections"}, comments="#;"
            )
