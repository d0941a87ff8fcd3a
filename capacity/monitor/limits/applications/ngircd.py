"""ngIRCd: MaxConnections, none by default (ngircd.conf(5)); MaxConnectionsIP is for each address."""

from collections.abc import Iterator

from capacity.domain.resources import AuditEntry, Scaling
from capacity.monitor.limits.applications.config_lines import settings
from capacity.monitor.limits.applications.entries import cap, told, uncapped
from capacity.monitor.limits.applications.process import Process
from capacity.monitor.limits.applications.settings import Setting

NAMES = frozenset({"ngircd"})
_USUAL = "/etc/ngircd/ngircd.conf"
_KEPT = frozenset({"maxconnections", "maxconnectionsip"})


def entries(process: Process) -> Iterator[AuditEntry]:
    option = process.option("-f", "--config")
    path = process.files.absolute(_USUAL if option is None else option.text)
    found: dict[str, Setting] = {}
    for setting in settings(process.lines(path), _KEPT, comments="#;"):
        found[setting.name] = setting
    each, most = found.get("maxconnectionsip"), found.get("maxconnections")
    if each is not None:
        value = each.number() or None
        yield told("MaxConnectionsIP", value, each.source, scales_with=Scaling.CONNECTIONS)
    if most is not None and most.number():
        yield cap("MaxConnections", most.number(), most.source)
    else:
        yield uncapped("MaxConnections", f"{path}: none is set")
