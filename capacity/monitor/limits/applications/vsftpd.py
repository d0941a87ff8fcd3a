"""vsftpd: max_clients, 2000 by default and none for 0; beyond it clients are told so and closed.

vsftpd.conf(5), and tunables.c for the default. max_per_ip, 50 by default, is for each address.
"""

from collections.abc import Iterator

from capacity.domain.resources import AuditEntry, Scaling
from capacity.monitor.limits.applications.config_lines import settings
from capacity.monitor.limits.applications.entries import cap, told, uncapped
from capacity.monitor.limits.applications.process import Process
from capacity.monitor.limits.applications.settings import Setting

NAMES = frozenset({"vsftpd"})
_USUAL = "/etc/vsftpd.conf"
_DEFAULTS = {"max_clients": "2000", "max_per_ip": "50"}


def entries(process: Process) -> Iterator[AuditEntry]:
    named = [word for word in process.words[1:] if not word.startswith("-")]
    found: dict[str, Setting] = {}
    for path in map(process.files.absolute, named or [_USUAL]):
        found |= {each.name: each for each in settings(process.lines(path), _DEFAULTS.keys())}
    default = f"{process.command_line} (the default, as none is set)"
    most, each = (
        found.get(name) or Setting(name, text, default) for name, text in _DEFAULTS.items()
    )
    yield told(
        "max_per_ip",
        each.number() or None,
        each.source,
        scales_with=Scaling.CONNECTIONS,
    )
    if most.number():
        yield cap("max_clients", most.number(), most.source)
    else:
        yield uncapped("max_clients", most.source)
