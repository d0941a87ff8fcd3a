"""Apache httpd: MaxRequestWorkers, one for each connection that is being served.

mpm_common and the multi-processing modules of Apache's documentation, version 2.4. ServerLimit times
ThreadsPerChild is the most that MaxRequestWorkers can be. Conditional sections count where their
module is loaded or their name defined; other conditions are not told by the files.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from capacity.domain.resources import AuditEntry
from capacity.monitor.limits.applications.entries import cap, told
from capacity.monitor.limits.applications.process import Process
from capacity.monitor.limits.applications.settings import Setting, UnclearError

NAMES = frozenset({"apache2", "httpd"})
_ROOTS = {"apache2": "/etc/apache2", "httpd": "/etc/httpd"}
_FILES = ("apache2.conf", "conf/httpd.conf", "httpd.conf")
_KEPT = (
    "MaxRequestWorkers",
    "MaxClients",
    "ServerLimit",
    "ThreadsPerChild",
    "ThreadLimit",
    "AsyncRequestWorkerFactor",
)
_BY_NAME = {name.lower(): name for name in _KEPT}
_MPM = re.compile(r"mpm_(event|worker|prefork)_module")
_SECTION = re.compile(r"<(/?)\s*(\w+)\s*(!?)\s*([^>]*)>")
_MOST_DEPTH = 16
_PREFORK_LIMIT, _THREADED_LIMIT, _THREADS = 256, 16, 25


@dataclass(slots=True)
class _Found:
    root: str
    defined: dict[str, str]
    mpm: str = ""
    settings: dict[str, Setting] = field(default_factory=dict)


def entries(process: Process) -> Iterator[AuditEntry]:
    given = dict(process.options(("-d", "-f")))
    root = given.get("-d") or next(
        (_ROOTS[name] for name in process.names if name in _ROOTS), "/etc/apache2"
    )
    usual = [f"{root}/{name}" for name in _FILES]
    path = given.get("-f") or process.first_existing(usual)
    defined = dict.fromkeys((name for _, name in process.options(("-D",))), "")
    found = _Found(root=root, defined=defined)
    _read(process, process.files.absolute(path, root), found, 0)
    yield from _entries(found, path)


def _entries(found: _Found, path: str) -> Iterator[AuditEntry]:
    default = f"{path} (the default, as none is set)"

    def setting(name: str, value: int) -> Setting:
        return found.settings.get(name) or Setting(name, str(value), default)

    is_prefork = found.mpm == "prefork"
    server_limit = setting("ServerLimit", _PREFORK_LIMIT if is_prefork else _THREADED_LIMIT)
    threads = 1 if is_prefork else setting("ThreadsPerChild", _THREADS).number()
    most = server_limit.number() * threads
    workers = (
        found.settings.get("MaxRequestWorkers")
        or found.settings.get("MaxClients")
        or Setting("MaxRequestWorkers", str(most), default)
    )
    yield told("ServerLimit", server_limit.number(), server_limit.source, unit="processes")
    if not is_prefork:
        yield told("ThreadsPerChild", threads, setting("ThreadsPerChild", _THREADS).source)
    admitted = workers.number()
    if admitted > most:
        source = f"{server_limit.source}, times {threads} threads, below {workers.source}"
        yield cap("MaxRequestWorkers", most, source)
        return
    # Whole processes only.
    rounded = max(admitted - admitted % max(threads, 1), threads)
    whole = f", in whole processes of {threads} threads" if rounded != admitted else ""
    yield cap("MaxRequestWorkers", rounded, f"{workers.source}{whole}")


def _read(process: Process, path: str, found: _Found, depth: int) -> None:
    if depth > _MOST_DEPTH:
        raise UnclearError(f"files include one another more than {_MOST_DEPTH} deep", path)
    skipped: list[bool] = []
    for text, where in _joined(process.lines(path)):
        section = _SECTION.match(text)
        if section is None:
            if not any(skipped):
                _take(process, text, where, found, depth)
        elif section[1]:
            del skipped[-1:]
        else:
            holds = _holds(section[2].lower(), section[4].strip().strip('"'), found)
            skipped.append(holds is bool(section[3]))


def _take(process: Process, text: str, where: str, found: _Found, depth: int) -> None:
    """Take one directive to *found*."""
    name, _, rest = text.partition(" ")
    name, value = name.lower(), _defined(rest.strip().strip('"'), found)
    if name in {"include", "includeoptional"}:
        pattern = process.files.absolute(value, found.root)
        for included in _files(process, pattern, is_optional=name != "include"):
            _read(process, included, found, depth + 1)
    elif name == "serverroot":
        found.root = value
    elif name == "define":
        word, _, meaning = value.partition(" ")
        found.defined[word] = meaning.strip()
    elif name == "loadmodule" and (module := _MPM.match(value)):
        found.mpm = module[1]
    elif name in _BY_NAME:
        found.settings[_BY_NAME[name]] = Setting(_BY_NAME[name], value, where)


def _joined(lines: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Yield the lines without comments, those that a backslash continues as one."""
    held, began = "", ""
    for text, where in lines:
        began = began if held else where
        held += text.strip()
        if held.endswith("\\"):
            held = held[:-1] + " "
            continue
        if held and not held.startswith("#"):
            yield " ".join(held.split()), began
        held = ""


def _holds(kind: str, argument: str, found: _Found) -> bool:
    match kind:
        case "ifdefine":
            return argument in found.defined
        case "ifmodule":
            module = re.search(r"(event|worker|prefork)", argument)
            # Of other modules it does not matter here.
            return module is None or not argument.startswith("mpm") or module[1] == found.mpm
    return True


def _defined(value: str, found: _Found) -> str:
    """Return *value* with the names that the configuration itself defined."""
    return re.sub(
        r"\$\{(\w+)\}", lambda match: found.defined.get(match[1], match[0]), value, flags=re.ASCII
    )


def _files(process: Process, pattern: str, *, is_optional: bool) -> list[str]:
    paths = process.files.matching(pattern)
    if paths == [pattern]:
        inside = process.files.matching(f"{pattern}/*")
        paths = inside or paths
        if is_optional and not process.files.exists(pattern):
            return []
    return [path for path in paths if not os.path.basename(path).startswith(".")]  # noqa: PTH119
