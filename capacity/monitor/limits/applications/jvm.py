"""Servers on a JVM: Tomcat, Jetty and Undertow by their files, Spring Boot by its options.

The documentation of each, version 10, 12 and 2; of a JVM itself MaxDirectMemorySize, by default as
much as its heap. Properties inside of a jar are not read.
"""

from collections.abc import Iterator, Mapping

from capacity.domain.resources import AuditEntry, Scaling
from capacity.monitor.limits.applications.config_lines import settings
from capacity.monitor.limits.applications.entries import cap, told, uncapped
from capacity.monitor.limits.applications.process import Process
from capacity.monitor.limits.applications.server_xml import connectors, undertow_listeners
from capacity.monitor.limits.applications.settings import Setting
from capacity.monitor.limits.runtime_options import VARIABLES, java_options

NAMES = frozenset({"java"})
_DIRECT = "-XX:MaxDirectMemorySize="
_PREFIXES = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
_SPRING = ("server.tomcat.max-connections", "server.jetty.max-connections")
_SPRING_VARIABLES = {name: name.upper().replace(".", "_").replace("-", "") for name in _SPRING}
_JETTY_MODULE = "connectionlimit"
_JETTY = f"jetty.{_JETTY_MODULE}.maxConnections"
_JETTY_BASE = "jetty.base="
_JETTY_DEFAULT = 1000
_JAR_WITHIN = 8
"""Words among which start.jar stands."""
_HOMES = ("catalina.base", "jetty.base", "jboss.server.config.dir", "jboss.home.dir")


def entries(process: Process) -> Iterator[AuditEntry]:
    try:
        variables = process.environ(VARIABLES | set(_SPRING_VARIABLES.values()))
    except PermissionError:
        variables = {}  # The cap of its heap is unknown then, and says so.
    options = java_options(process.words, variables)
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
    elif "jetty.base" in properties or any(
        "jetty" in word for word in process.words[1:_JAR_WITHIN]
    ):
        yield from _jetty(process, properties)
    elif "jboss.home.dir" in properties:
        yield from undertow_listeners(process, properties)
    yield from _spring(process, properties, variables)


def _properties(process: Process, options: list[str]) -> Mapping[str, Setting]:
    """Return the system properties that say where a server's files are, and Spring's own."""
    found = {}
    for word in options:
        name, equals, value = word.removeprefix("-D").partition("=")
        is_plain = value.isascii() and value.isdigit()
        if word.startswith("-D") and equals and (name in _HOMES or name in _SPRING or is_plain):
            found[name] = Setting(name, value, process.command_line)
    return found


def _spring(
    process: Process, properties: Mapping[str, Setting], variables: Mapping[str, str]
) -> Iterator[AuditEntry]:
    for name, variable in _SPRING_VARIABLES.items():
        setting = process.option(f"--{name}") or properties.get(name)
        if setting is None and variable in variables:
            where = f"{process.proc}/{process.pid}/environ"
            setting = Setting(variable, variables[variable], where)
        if setting is not None:
            yield cap(name, setting.number(), setting.source)


def _jetty(process: Process, properties: Mapping[str, Setting]) -> Iterator[AuditEntry]:
    given = [(word, process.command_line) for word in process.words[1:]]
    base = next((word for word, _ in given if word.startswith(_JETTY_BASE)), None)
    folder = properties["jetty.base"].text if "jetty.base" in properties else "."
    folder = process.files.absolute(folder if base is None else base.removeprefix(_JETTY_BASE))
    paths = [f"{folder}/start.ini", *process.files.matching(f"{folder}/start.d/*.ini")]
    lines = [line for path in paths if process.files.exists(path) for line in process.lines(path)]
    lines += given
    if not any(text.startswith("--module") and _JETTY_MODULE in text for text, _ in lines):
        yield uncapped(_JETTY, f"{folder}/start.ini: its module {_JETTY_MODULE} is not on")
        return
    found = properties.get(_JETTY) or Setting(
        _JETTY, str(_JETTY_DEFAULT), f"{folder}/start.ini (the default, as none is set)"
    )
    for setting in settings(lines, {_JETTY.lower()}):
        found = setting
    yield cap(_JETTY, found.number(), found.source)
