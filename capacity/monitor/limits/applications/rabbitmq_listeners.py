"""Which of RabbitMQ's ports a cap holds for: connection_max for AMQP, STOMP and MQTT, not for their WebSockets.

RabbitMQ's guides to networking, STOMP and MQTT, and version 3.10 as it was filled: the listeners of the
plugins web_stomp and web_mqtt have a max_connections of their own, and none where it is not set. Each of
a listener's acceptors but one takes a client beyond its cap, which is served.
"""

from collections.abc import Iterator, Mapping

from capacity.domain.resources import AuditEntry
from capacity.monitor.limits.applications.entries import cap
from capacity.monitor.limits.applications.settings import Setting

PREFIXES = ("listeners.", "stomp.listeners.", "mqtt.listeners.")
_WEB_PORTS = {"web_stomp": 15_674, "web_mqtt": 15_675}
NAMES = frozenset(
    f"{plugin}.{key}"
    for plugin in _WEB_PORTS
    for key in ("tcp.port", "ssl.port", "max_connections", "num_acceptors.tcp")
)
_PLAIN_PORTS = {
    "listeners.tcp": 5672,
    "listeners.ssl": 5671,
    "stomp.listeners.tcp": 61_613,
    "stomp.listeners.ssl": 61_614,
    "mqtt.listeners.tcp": 1883,
    "mqtt.listeners.ssl": 8883,
}
_DEFAULT_ACCEPTORS = "10"
_UNLIMITED = "infinity"


def plain_ports(found: Mapping[str, Setting]) -> set[int]:
    """Return the ports for AMQP, STOMP and MQTT without WebSocket: those that are set, else the usual."""
    ports: set[int] = set()
    for kind, usual in _PLAIN_PORTS.items():
        given = [
            setting
            for name, setting in found.items()
            if name == kind or name.startswith(f"{kind}.")
        ]
        ports |= {usual} if not given else set()
        for setting in given:
            text = setting.text.rpartition(":")[2]
            if text.isascii() and text.isdigit() and len(text) < 6:
                ports.add(int(text))
    return ports


def web_caps(found: Mapping[str, Setting], path: str) -> Iterator[AuditEntry]:
    """Yield the caps of the listeners for WebSockets."""
    for plugin, usual in _WEB_PORTS.items():
        most = found.get(f"{plugin}.max_connections")
        if most is None or most.text == _UNLIMITED:
            continue
        more = taken_beyond(found.get(f"{plugin}.num_acceptors.tcp"), path)
        ports = {usual} if f"{plugin}.tcp.port" not in found else set()
        ports |= {
            found[name].number()
            for name in (f"{plugin}.tcp.port", f"{plugin}.ssl.port")
            if name in found
        }
        yield cap(most.name, most.number() + more, with_acceptors(most, more), ports)


def taken_beyond(acceptors: Setting | None, path: str) -> int:
    """Return how many clients the acceptors of a listener take beyond its cap."""
    return max(1, (acceptors or Setting("", _DEFAULT_ACCEPTORS, path)).number()) - 1


def with_acceptors(most: Setting, more: int) -> str:
    return f"{most.source}, and {more} that its acceptors take"
