"""Traefik: inFlightReq and inFlightConn of its file provider, which are all that caps clients there.

Traefik's documentation, versions 2 and 3: static settings are in a file, else on the command line, else
in the environment, never mixed. Middlewares of Docker, Kubernetes and other providers are unknown. Of the
environment only entry points, the file provider and the names of other providers are looked at.
"""

import contextlib
from collections.abc import Iterator

from capacity.domain.resources import AuditEntry
from capacity.monitor.limits.applications.documents.node import Node
from capacity.monitor.limits.applications.documents.reading import document
from capacity.monitor.limits.applications.entries import uncapped, unclear
from capacity.monitor.limits.applications.process import Process
from capacity.monitor.limits.applications.settings import UnclearError
from capacity.monitor.limits.applications.traefik_routers import EntryPoint, caps_of

NAMES = frozenset({"traefik"})
_NAME = "clients of Traefik"
_ENDINGS = ("toml", "yaml", "yml")
_OPTION = "--configfile"
_READ = ("entrypoints", "providers")
_NO_PROVIDERS = frozenset({"file", "precedence", "providersthrottleduration"})


def entries(process: Process) -> Iterator[AuditEntry]:
    static = _static(process)
    points = [_entry_point(name, node) for name, node in static.at("entryPoints").members.items()]
    points = points or [EntryPoint("http", (80,), ())]
    file = static.at("providers", "file")
    found = list(caps_of([document(process, path) for path in _files(process, file)], points))
    yield from found
    others = [
        node
        for name, node in static.at("providers").members.items()
        if name.lower() not in _NO_PROVIDERS and node.text != "false"
    ]
    for node in others[:1]:
        why = "a provider other than files brings routers, whose limits are not read"
        yield unclear(
            _NAME,
            UnclearError(f"{why}: declare limits.application_connections", node.where),
            node.where,
        )
    if not others and not any(entry.resource is not None for entry in found):
        where = file.where if file.value is not None else static.where
        yield uncapped(_NAME, f"{where}: no router has inFlightReq for all of its clients")


def _static(process: Process) -> Node:
    path = _path(process)
    if path is not None:
        return document(process, path)
    pairs = {}
    for word in process.words[1:]:
        name, equals, value = word.removeprefix("--").partition("=")
        if word.startswith("--") and name.lower().partition(".")[0] in _READ:
            pairs[name.lower()] = value if equals else "true"
    if pairs:
        return _nested(pairs, process.command_line)
    variables = process.environ_below([f"TRAEFIK_{name.upper()}_" for name in _READ])
    named = {name.removeprefix("TRAEFIK_").lower(): text for name, text in variables.items()}
    dotted = {name.replace("_", "."): text for name, text in named.items()}
    return _nested(dotted, f"{process.proc}/{process.pid}/environ")


def _path(process: Process) -> str | None:
    """Return the file of its static settings, where it has one."""
    given = [word for word in process.words[1:] if word.lower().startswith(_OPTION)]
    if given:
        _, equals, value = given[-1].partition("=")
        after = process.words[process.words.index(given[-1]) + 1 :]
        return process.files.absolute(value if equals else next(iter(after), ""))
    usual = (f"{folder}/traefik.{ending}" for folder in _folders(process) for ending in _ENDINGS)
    return next((path for path in usual if process.files.exists(path)), None)


def _folders(process: Process) -> Iterator[str]:
    """Yield where it looks by itself; what is not ours to see is left out."""
    yield "/etc/traefik"
    with contextlib.suppress(PermissionError):
        homes = process.environ(("XDG_CONFIG_HOME", "HOME"))
        if "XDG_CONFIG_HOME" in homes:
            yield homes["XDG_CONFIG_HOME"]
        if "HOME" in homes:
            yield f"{homes['HOME']}/.config"
    with contextlib.suppress(PermissionError):
        yield process.files.absolute("traefik").rpartition("/")[0]


def _nested(pairs: dict[str, str], where: str) -> Node:
    """Return names in dots as nodes; of other providers than files only the name is kept."""
    root: dict[str, Node] = {}
    for name, text in pairs.items():
        parts = name.split(".")
        is_other = parts[0] == "providers" and parts[1:2] != ["file"] and len(parts) > 2
        parts = parts[:2] if is_other else parts
        below = root
        for part in parts[:-1]:
            inner = below.get(part, Node(None, where)).members
            below[part] = Node(inner, where)
            below = inner
        below.setdefault(parts[-1], Node("true" if is_other else text, where))
    return Node(root, where)


def _entry_point(name: str, node: Node) -> EntryPoint:
    address, _, protocol = (node.at("address").text or "").partition("/")
    port = address.rpartition(":")[2]
    is_tcp = protocol != "udp" and port.isascii() and port.isdigit() and len(port) < 6
    given = node.at("http", "middlewares")
    names = [each.text or "" for each in given.elements] or (given.text or "").split(",")
    return EntryPoint(name, (int(port),) if is_tcp else (), tuple(filter(None, names)))


def _files(process: Process, provider: Node) -> list[str]:
    name, folder = provider.at("filename").text, provider.at("directory").text
    if folder is not None:
        base = process.files.absolute(folder).rstrip("/")
        return [
            path
            for pattern in (f"{base}/*", f"{base}/*/*", f"{base}/*/*/*")
            for path in process.files.matching(pattern)
            if path.endswith((".toml", ".yaml", ".yml"))
        ]
    return [] if name is None else [process.files.absolute(name)]
