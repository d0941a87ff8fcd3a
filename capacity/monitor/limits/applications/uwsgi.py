"""uWSGI: one connection a thread of a worker, or as many as --gevent, --async or --asyncio say of each.

uWSGI's options: words of the command line, UWSGI_ variables, and the section [uwsgi] of .ini files; hyphens
and underscores are alike, and the last one of a number counts. A WebSocket takes a worker's core for as
long as it is open; beyond them clients wait in the queue. Of other formats (XML, YAML, JSON) nothing is
read.
"""

from collections.abc import Iterator

from capacity.domain.resources import AuditEntry
from capacity.monitor.limits.applications.config_lines import in_sections, settings
from capacity.monitor.limits.applications.entries import cap
from capacity.monitor.limits.applications.process import Process, options
from capacity.monitor.limits.applications.settings import Setting, UnclearError

NAMES = frozenset({"uwsgi", "uwsgi-core", "pyuwsgi"})
_PROCESSES, _THREADS = "processes", "threads"
_MANY = frozenset({"gevent", "async", "asyncio"})
_ALIASES = {"p": _PROCESSES, "workers": _PROCESSES}
_KEPT = frozenset({_PROCESSES, "workers", _THREADS, *_MANY})
_WORDS = ("-p", *(f"--{name}" for name in sorted(_KEPT)))
_INI = ".ini"
_OTHER = (".xml", ".yaml", ".yml", ".json")
_OTHERS = ("--xml", "-x", "--yaml", "--yml", "-y", "--json", "-j")


def entries(process: Process) -> Iterator[AuditEntry]:
    found = {setting.name: setting for setting in _settings(process)}
    default = Setting("", "1", f"{process.command_line} (the default)")
    workers = found.get(_PROCESSES, default._replace(name=_PROCESSES))
    many = [found[name] for name in sorted(_MANY) if name in found]
    each = many[0] if many else found.get(_THREADS, default._replace(name=_THREADS))
    yield cap(
        f"{each.name} of all workers",
        max(1, each.number()) * max(1, workers.number()),
        f"{each.source}; {workers.source}; a connection that is held open takes one of them",
    )


def _settings(process: Process) -> Iterator[Setting]:
    """Yield the settings in the order in which they count; the command line has files in it."""
    for name, text in process.environ_below(("UWSGI_",)).items():
        if (plain := _name(name.removeprefix("UWSGI_"))) in _KEPT:
            yield Setting(_ALIASES.get(plain, plain), text, f"{process.proc}/{process.pid}/environ")
    for path in _files(process):
        yield from _in_file(process, path)
    for name, text in process.options(_WORDS):
        plain = _name(name)
        yield Setting(_ALIASES.get(plain, plain), text, process.command_line)


def _files(process: Process) -> Iterator[str]:
    """Yield the files that the command line names: behind --ini, or alone."""
    words = process.words[1:]
    if any(options(words, _OTHERS)) or any(word.endswith(_OTHER) for word in words):
        raise UnclearError("its settings are no .ini file", process.command_line)
    named = [text for _, text in options(words, ("--ini", "-i"))]
    alone = [word for word in words if word.endswith(_INI) and not word.startswith("-")]
    yield from dict.fromkeys((*named, *alone))


def _in_file(process: Process, path: str) -> Iterator[Setting]:
    lines = in_sections(process.lines(path))
    own = ((_name_of(text), where) for section, text, where in lines if section == "uwsgi")
    for setting in settings(own, _KEPT, comments=";#"):
        yield setting._replace(name=_ALIASES.get(setting.name, setting.name))


def _name_of(line: str) -> str:
    """Return a line whose name has hyphens only."""
    name, equals, value = line.partition("=")
    return f"{_name(name)}{equals}{value}"


def _name(text: str) -> str:
    return text.strip().lstrip("-").lower().replace("_", "-")
