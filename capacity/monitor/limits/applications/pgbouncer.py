"""PgBouncer: max_client_conn, 100 by default.

PgBouncer's config.md. Beyond it a client is told so and closed; `%include` brings in other files.
"""

from collections.abc import Iterator

from capacity.domain.resources import AuditEntry
from capacity.monitor.limits.applications.config_lines import in_sections, settings
from capacity.monitor.limits.applications.entries import cap
from capacity.monitor.limits.applications.process import Process
from capacity.monitor.limits.applications.settings import Setting, UnclearError

NAMES = frozenset({"pgbouncer"})
_VALUED = frozenset({"-u", "--user"})
_DEFAULT, _MOST_DEPTH = 100, 8


def entries(process: Process) -> Iterator[AuditEntry]:
    path = process.files.absolute(_file(process))
    setting = Setting("max_client_conn", str(_DEFAULT), f"{path} (the default, as none is set)")
    for found in _settings(process, path, 0):
        setting = found
    yield cap("max_client_conn", setting.number(), setting.source)


def _file(process: Process) -> str:
    words = [
        word
        for before, word in zip(process.words, process.words[1:], strict=False)
        if not word.startswith("-") and before not in _VALUED
    ]
    return words[-1] if words else process.first_existing(("/etc/pgbouncer/pgbouncer.ini",))


def _settings(process: Process, path: str, depth: int) -> Iterator[Setting]:
    if depth > _MOST_DEPTH:
        raise UnclearError(f"files include one another more than {_MOST_DEPTH} deep", path)
    for section, text, where in in_sections(process.lines(path)):
        if text.startswith("%include"):
            included = process.files.absolute(text.removeprefix("%include").strip())
            yield from _settings(process, included, depth + 1)
        elif section in {"pgbouncer", ""}:
            yield from settings([(text, where)], {"max_client_conn"}, comments="#;")
