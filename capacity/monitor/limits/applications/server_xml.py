"""Tomcat's server.xml and WildFly's standalone.xml: what their connectors and listeners admit.

Tomcat: maxConnections, 8192 by default and none for -1; beyond it connections wait. Undertow:
max-connections, none by default. A value in ${…} is a system property, else unclear.
"""

import re
from collections.abc import Iterator, Mapping
from xml.parsers import expat

from capacity.domain.resources import AuditEntry
from capacity.monitor.limits.applications.entries import cap, told, uncapped
from capacity.monitor.limits.applications.process import Process
from capacity.monitor.limits.applications.settings import Setting, UnclearError

_DEFAULT_CONNECTIONS, _DEFAULT_THREADS, _PORT = 8192, 200, 8080
_UNLIMITED = "-1"
_PROPERTY = re.compile(r"\$\{([\w.-]+)(?::([^}]*))?\}", re.ASCII)
_LISTENERS = frozenset({"http-listener", "https-listener", "ajp-listener"})


def connectors(process: Process, properties: Mapping[str, Setting]) -> Iterator[AuditEntry]:
    """Yield the cap of each connector of a Tomcat."""
    path = process.files.absolute(f"{properties['catalina.base'].text}/conf/server.xml")
    for attributes, where in elements(process, path, {"Connector"}):
        port = _setting("port", attributes, str(_PORT), where, properties)
        if port.text == _UNLIMITED:
            continue
        most = _setting("maxConnections", attributes, str(_DEFAULT_CONNECTIONS), where, properties)
        threads = _setting("maxThreads", attributes, str(_DEFAULT_THREADS), where, properties)
        if "executor" not in attributes:
            yield told("maxThreads", threads.number(), threads.source, unit="threads")
        ports = [port.number()] if port.text.isdigit() else []
        if most.text == _UNLIMITED:
            yield uncapped("maxConnections", f"{most.where}: maxConnections -1", ports)
        else:
            yield cap("maxConnections", most.number(), most.source, ports)


def undertow_listeners(process: Process, properties: Mapping[str, Setting]) -> Iterator[AuditEntry]:
    """Yield the cap of each listener of WildFly's Undertow."""
    folder = (
        properties["jboss.server.config.dir"].text
        if "jboss.server.config.dir" in properties
        else f"{properties['jboss.home.dir'].text}/standalone/configuration"
    )
    option = process.option("-c", "--server-config")
    name = option.text if option is not None else "standalone.xml"
    path = process.files.absolute(name, process.files.absolute(folder))
    found = False
    for attributes, where in elements(process, path, _LISTENERS):
        if "max-connections" in attributes:
            found = True
            setting = _setting("max-connections", attributes, "", where, properties)
            yield cap("max-connections of a listener", setting.number(), setting.source)
    if not found:
        yield uncapped("max-connections", f"{path}: no listener has one")


def elements(
    process: Process, path: str, names: set[str] | frozenset[str]
) -> list[tuple[dict[str, str], str]]:
    """Return attributes and place of the elements of these *names*; entities are not expanded."""
    text = process.files.text(path)
    note = process.changed(path)
    parser = expat.ParserCreate(namespace_separator=" ")
    found: list[tuple[dict[str, str], str]] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        if name.rpartition(" ")[2] in names:
            found.append((attributes, f"{path}:{parser.CurrentLineNumber}{note}"))

    def declared(*_: object) -> None:
        raise UnclearError("it declares entities, which are not expanded", path)

    parser.StartElementHandler = start
    parser.EntityDeclHandler = declared
    try:
        parser.Parse(text.encode(), True)
    except expat.ExpatError as error:
        where = f"{path}:{error.lineno}"
        raise UnclearError("it is no XML that can be parsed", where) from None
    return found


def _setting(
    name: str,
    attributes: Mapping[str, str],
    default: str,
    where: str,
    properties: Mapping[str, Setting],
) -> Setting:
    if name not in attributes:
        return Setting(name, default, f"{where} (the default, as none is set)")
    text = attributes[name].strip()
    named = _PROPERTY.fullmatch(text)
    if named is not None:
        known = properties.get(named[1])
        text = known.text if known is not None else (named[2] or "?")
    return Setting(name, text, where)
