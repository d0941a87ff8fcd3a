"""RabbitMQ: connection_max of a node, none by default, and channel_max of a connection, 2047.

RabbitMQ's guide to configuration: RABBITMQ_CONFIG_FILE or /etc/rabbitmq/rabbitmq.conf, then conf.d.
Each of num_acceptors.tcp but one takes a client beyond the cap, which is served (found by filling
version 3.10). Limits of a virtual host or a user are in its data base, and not read.
"""

from collections.abc import Iterator

from capacity.domain.resources import AuditEntry
from capacity.monitor.limits.applications.config_lines import settings
from capacity.monitor.limits.applications.entries import cap, told, uncapped
from capacity.monitor.limits.applications.process import Process
from capacity.monitor.limits.applications.settings import Setting

_FOLDER = "/etc/rabbitmq"
_KEPT = frozenset({"connection_max", "channel_max", "num_acceptors.tcp"})
_DEFAULT_ACCEPTORS = "10"
_UNLIMITED = "infinity"


def rabbitmq_entries(process: Process) -> Iterator[AuditEntry]:
    variable = process.variable("RABBITMQ_CONFIG_FILE")
    path = f"{_FOLDER}/rabbitmq.conf" if variable is None else variable.text
    if not path.endswith(".conf"):
        path += ".conf"
    paths = [path] if process.files.exists(path) else []
    paths += process.files.matching(f"{_FOLDER}/conf.d/*.conf") if variable is None else []
    found = {
        setting.name: setting for each in paths for setting in settings(process.lines(each), _KEPT)
    }
    channels, most = found.get("channel_max"), found.get("connection_max")
    if channels is not None:
        yield told("channel_max", channels.number(), channels.source, unit="channels")
    if most is None or most.text == _UNLIMITED:
        yield uncapped("connection_max", f"{path}: none is set")
    else:
        acceptors = found.get("num_acceptors.tcp") or Setting("", _DEFAULT_ACCEPTORS, path)
        more = max(1, acceptors.number()) - 1
        yield cap(
            "connection_max",
            most.number() + more,
            f"{most.source}, and {more} that its acceptors take",
        )
