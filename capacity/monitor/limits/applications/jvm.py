"""Servers on a JVM: Tomcat, Jetty and Undertow by their files, Spring Boot by its options.

The documentation of each, version 10, 12 and 2; of a JVM itself MaxDirectMemorySize, by default as
much as its heap. Properties inside of a jar are not read.
"""

from collections.abc import Iterator, Mapping

from capacity.domain.resources import AuditEntry, Scaling
from capacity.monitor.limits.applications.entries import cap, told, uncapped
from capacity.monitor.limits.applications.lines import settings
from capacity.monitor.limits.applications.process import Process
from capacity.monitor.limits.applications.server_xml import connectors, undertow_listeners
from capacity.monitor.limits.applications.settings import Setting
from capacity.monitor.limits.runtime_options import VARIABLES, java_options

NAMES = frozenset({"java"})
_DIRECT = "-XX:MaxDirectMemorySize="
_PREFIXES = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
_SPRING = ("server.tomcat.max-connections", "server.jetty.max-connections")
_SPRING_VARIABLES = {name: name.upper().replace(".", "_").replace("-", "") for name in _SPRING}
_JETTY = "jetty.connectionlimit.maxConnections"
_HOMES = ("catalina.base", "jetty.base", "jboss.server.config.dir", "jboss.home.dir")


def entries(process: Process) -> Iterator[AuditEntry]:
    options = list(java_options(process.words, process.environ(VARIABLES)))
    for word, where in options:
        if word.startswith(_DIRECT):
            place = f"{process.proc}/{process.pid}/{where}"
            setting = Setting("MaxDirectMemorySize", word.removeprefix(_DIRECT), place)
            yield told(
                setting.name,
                setting.number(_PREFIXES),
                setting.source,
                unit="bytes",
                scales_with=Scaling.QUEUED_BYTES,
            )
    properties = _properties(process, [word for word, _ in options])
    if "catalina.base" in properties:
        yield from connectors(process, properties)
    elif "jetty.base" in properties or any("jetty" in word for word in process.words[1:4]):
        yield from _jetty(process, properties)
    elif "jboss.home.dir" in properties:
        yield from undertow_listeners(process, properties)
    yield from _spring(process, properties)


def _properties(process: Process, options: list[str]) -> Mapping[str, Setting]:
    """Return the system properties that say where a server's files are, and Spring's own."""
    found = {}
    for word in options:
        name, equals, value = word.removeprefix("-D").partition("=")
        if (word.startswith("-D") and equals and (name in _HOMES or name in _SPRING)) or (
            word.startswith("-D") and equals and value.isascii() and value.isdigit()
        ):
            found[name] = Setting(name, value, process.command_line)
    return found


def _spring(process: Process, properties: Mapping[str, Setting]) -> Iterator[AuditEntry]:
    for name in _SPRING:
        setting = (
            process.option(f"--{name}")
            or properties.get(name)
            or process.variable(_SPRING_VARIABLES[name])
        )
        if setting is not None:
            yield cap(name, setting.number(), setting.source)


def _jetty(process: Process, properties: Mapping[str, Setting]) -> Iterator[AuditEntry]:
    base = properties["jetty.base"].text if "jetty.base" in properties else "."
    folder = process.files.absolute(base)
    paths = [f"{folder}/start.ini", *process.files.matching(f"{folder}/start.d/*.ini")]
    found = properties.get(_JETTY)
    module = False
    for path in paths:
        if not process.files.exists(path):
            continue
        lines = process.lines(path)
        module = module or any(
            text.strip().startswith("--module") and "connectionlimit" in text for text, _ in lines
        )
        for setting in settings(lines, {_JETTY.lower()}):
            found = found or setting
    if found is not None and module:
        yield cap(_JETTY, found.number(), found.source)
    elif not module:
        yield uncapped(_JETTY, f"{folder}/start.d: its module connectionlimit is not on")
