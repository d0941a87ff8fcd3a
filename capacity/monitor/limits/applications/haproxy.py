"""HAProxy: maxconn of the process, of a frontend, of a bind line, and of the servers behind it.

configuration.txt and management.txt of HAProxy 2.6 to 3.0. A client counts once, whatever stands
behind; what is beyond a cap waits, and is served when somebody leaves. Without a maxconn for the
process it follows from the descriptors, which have a limit of their own.
"""

from collections.abc import Iterator

from capacity.domain.resources import AuditEntry
from capacity.monitor.limits.applications.entries import cap, told, uncapped
from capacity.monitor.limits.applications.haproxy_syntax import Line, Section, ports_of, sections
from capacity.monitor.limits.applications.process import Process
from capacity.monitor.limits.applications.settings import Setting, UnclearError

NAMES = frozenset({"haproxy"})
_USUAL = ("/etc/haproxy/haproxy.cfg", "/usr/local/etc/haproxy/haproxy.cfg")


def entries(process: Process) -> Iterator[AuditEntry]:
    found = sections(line for path in _paths(process) for line in process.lines(path))
    yield from _of_the_process(process, found)
    by_name = {section.name: section for section in found if section.kind in {"backend", "listen"}}
    for section in found:
        if section.kind not in {"frontend", "listen"}:
            continue
        ports = section.ports
        setting = section.setting("maxconn") or process.option("-N")
        if setting is not None and setting.number():
            name = f"maxconn of {section.kind} {section.name}"
            yield cap(name, setting.number(), setting.source, ports)
        yield from _binds(section)
        yield from _servers(section, by_name, ports)


def _paths(process: Process) -> list[str]:
    """Return the files that the command line names, those of a folder in their order."""
    given = dict(process.options(("-C",)))
    base = process.files.absolute(given["-C"]) if "-C" in given else None
    named = [text for _, text in process.options(("-f",))]
    if "--" in process.words:
        named += process.words[process.words.index("--") + 1 :]
    paths = []
    for name in named or [process.first_existing(_USUAL)]:
        path = process.files.absolute(name, base)
        inside = process.files.matching(f"{path}/*.cfg")
        paths += inside or [path]
    return paths


def _of_the_process(process: Process, found: list[Section]) -> Iterator[AuditEntry]:
    settings = {
        name: setting
        for section in found
        if section.kind == "global"
        for name in ("maxconn", "ulimit-n", "fd-hard-limit")
        if (setting := section.setting(name)) is not None
    }
    for name in ("ulimit-n", "fd-hard-limit"):
        if name in settings:
            setting = settings[name]
            yield told(name, setting.number(), setting.source, unit="descriptors")
    setting = process.option("-n") or settings.get("maxconn")
    if setting is None or not setting.number():
        why = "no maxconn for the process: it follows from the descriptors, 2 for each client"
        yield uncapped("maxconn of the process", f"{process.command_line}: {why}")
    else:
        yield cap("maxconn of the process", setting.number(), setting.source)


def _binds(section: Section) -> Iterator[AuditEntry]:
    for line in section.all("bind"):
        setting = line.value("maxconn")
        ports = list(ports_of(line))
        if setting is not None and setting.number() and ports:
            yield cap("maxconn of the bind line", setting.number(), setting.source, ports)


def _servers(
    section: Section, by_name: dict[str, Section], ports: set[int]
) -> Iterator[AuditEntry]:
    """Yield what the servers behind a frontend serve at once, where each of them has a cap."""
    used = [section] if section.kind == "listen" and section.all("server") else []
    default = section.setting("default_backend")
    names = [default.text] if default is not None and not used else []
    names += [line.words[1] for line in section.all("use_backend") if len(line.words) > 1]
    if any(name not in by_name for name in names):
        return  # Chosen by an expression.
    used += [by_name[name] for name in names]
    settings = [setting for backend in used for setting in _server_caps(backend)]
    if settings and all(setting is not None for setting in settings):
        known = [setting for setting in settings if setting is not None]
        places = ", ".join(setting.source for setting in known)
        total = sum(setting.number() for setting in known)
        if total:
            yield cap(f"maxconn of the servers behind {section.name}", total, places, ports)


def _server_caps(backend: Section) -> Iterator[Setting | None]:
    defaults = backend.all("default-server") or (
        backend.defaults.all("default-server") if backend.defaults is not None else []
    )
    inherited = next(filter(None, (line.value("maxconn") for line in reversed(defaults))), None)
    if backend.all("server-template"):
        yield None
    for line in backend.all("server"):
        if "backup" not in line.words and "disabled" not in line.words:
            yield _own(line) or inherited


def _own(line: Line) -> Setting | None:
    setting = line.value("maxconn")
    if setting is not None and setting.text == "0":
        return None
    if line.is_conditional:
        raise UnclearError("a server that stands under a condition", line.where)
    return setting
