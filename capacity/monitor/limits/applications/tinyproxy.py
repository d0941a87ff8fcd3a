"""Tinyproxy: MaxClients, 100 by default (tinyproxy.conf(5)); beyond it clients are turned away."""

from collections.abc import Iterator

from capacity.domain.resources import AuditEntry
from capacity.monitor.limits.applications.config_lines import settings
from capacity.monitor.limits.applications.entries import cap
from capacity.monitor.limits.applications.process import Process
from capacity.monitor.limits.applications.settings import Setting

NAMES = frozenset({"tinyproxy"})
_USUAL = ("/etc/tinyproxy/tinyproxy.conf",)
_DEFAULT = 100


def entries(process: Process) -> Iterator[AuditEntry]:
    given = dict(process.options(("-c",)))
    path = process.files.absolute(given.get("-c") or process.first_existing(_USUAL))
    setting = Setting("maxclients", str(_DEFAULT), f"{path} (the default, as none is set)")
    for found in settings(process.lines(path), {"maxclients"}):
        setting = found
    yield cap("MaxClients", setting.number(), setting.source)
