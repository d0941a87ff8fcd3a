"""Gunicorn: one connection a worker, a thread, or --worker-connections, by the kind of its workers.

Gunicorn's settings: the command line beats GUNICORN_CMD_ARGS, which beats the file. The file is
Python; it is parsed and never run, and only plain numbers and texts in it are taken.
"""

import ast
import shlex
from collections.abc import Iterator, Sequence

from capacity.domain.resources import AuditEntry
from capacity.monitor.limits.applications.entries import cap, told
from capacity.monitor.limits.applications.process import Process, options
from capacity.monitor.limits.applications.settings import Setting, UnclearError

NAMES = frozenset({"gunicorn"})
_OPTIONS = {
    "-w": "workers",
    "--workers": "workers",
    "-k": "worker_class",
    "--worker-class": "worker_class",
    "--worker-connections": "worker_connections",
    "--threads": "threads",
    "-c": "config",
    "--config": "config",
}
_KEPT = frozenset(_OPTIONS.values())
_DEFAULTS = {"workers": "1", "worker_class": "sync", "worker_connections": "1000", "threads": "1"}
_OF_CONNECTIONS = frozenset({"gevent", "eventlet", "gevent_wsgi", "gevent_pywsgi"})


def entries(process: Process) -> Iterator[AuditEntry]:
    found = _settings(process)
    kind = found["worker_class"].text
    workers = _workers(process, found["workers"])
    if kind == "sync" and found["threads"].text != "1":
        kind = "gthread"
    many = f"{found['workers'].where}: {workers} workers of class {_known(kind)}"
    if kind == "gthread":
        threads = found["threads"]
        source = f"{threads.source}; {many}, and a connection that is held open takes a thread"
        yield cap("threads of all workers", threads.number() * workers, source)
    elif kind in _OF_CONNECTIONS:
        setting = found["worker_connections"]
        yield told("worker_connections", setting.number(), setting.source)
        yield cap(
            "worker_connections of all workers",
            setting.number() * workers,
            f"{setting.source}; {many}",
        )
    elif kind == "sync":
        yield cap("workers", workers, f"{many}, which serve one connection each")
    else:
        yield told("connections", None, f"{many}: whether it has a cap is not looked for")


def _workers(process: Process, setting: Setting) -> int:
    """Return how many workers there are: as many as are seen to live where an expression says it."""
    try:
        return max(1, setting.number())
    except UnclearError:
        if not process.workers:
            raise
        return process.workers


def _known(kind: str) -> str:
    return kind if kind in {"sync", "gthread", *_OF_CONNECTIONS} else "another"


def _settings(process: Process) -> dict[str, Setting]:
    default = f"{process.command_line} (the default)"
    found = {name: Setting(name, text, default) for name, text in _DEFAULTS.items()}
    concurrency = process.variable("WEB_CONCURRENCY")
    if concurrency is not None:
        found["workers"] = Setting("workers", concurrency.text, concurrency.where)
    more = process.variable("GUNICORN_CMD_ARGS")
    given = [] if more is None else list(_given(_words(more), more.where))
    given += _given(process.words[1:], process.command_line)
    named = [setting.text for setting in given if setting.name == "config"]
    path = process.files.absolute(
        (named[-1] if named else "gunicorn.conf.py").removeprefix("file:")
    )
    if path.startswith("python:"):
        raise UnclearError("its settings are a module", process.command_line)
    if named or process.files.exists(path):
        found |= {setting.name: setting for setting in assigned(process, path)}
    return found | {setting.name: setting for setting in given}


def _words(variable: Setting) -> Sequence[str]:
    try:
        return shlex.split(variable.text)
    except ValueError:
        raise UnclearError(f"{variable.name} has quotes without an end", variable.where) from None


def _given(words: Sequence[str], where: str) -> Iterator[Setting]:
    for name, text in options(words, _OPTIONS.keys()):
        yield Setting(_OPTIONS[name], text, where)


def assigned(process: Process, path: str) -> Iterator[Setting]:
    """Yield what the file assigns at its top level; what is no plain value is unclear."""
    text = process.files.text(path)
    note = process.changed(path)
    try:
        module = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise UnclearError("it is no Python that can be parsed", path) from None
    for statement in module.body:
        if not isinstance(statement, ast.Assign):
            continue
        for target in statement.targets:
            if isinstance(target, ast.Name) and target.id in _KEPT:
                value = statement.value
                plain = str(value.value) if isinstance(value, ast.Constant) else "an expression"
                yield Setting(target.id, plain, f"{path}:{statement.lineno}{note}")
