"""What resources and parts of the load are called, and how a stranger's text is made harmless to show.

Names of targets, files and reasons come from elsewhere: they may hold control characters,
direction overrides or halves of characters, and they may be long.
"""

from collections.abc import Sequence

from capacity.domain.resources import Resource

LONGEST_TEXT = 400
_SHOWN_PORTS = 3

RESOURCES: dict[Resource, str] = {
    Resource.APPLICATION_CONNECTIONS: "connections admitted by the application",
    Resource.UNIDENTIFIED: "a limit that was met and not identified",
    Resource.DESCRIPTORS: "file descriptors",
    Resource.FILE_TABLE: "system file table",
    Resource.CONNTRACK: "connection-tracking table",
    Resource.OUTGOING_PORTS: "ports for connections to one upstream",
    Resource.THREADS: "threads",
    Resource.USER_PROCESSES: "processes of the target's user",
    Resource.EPOLL_WATCHES: "epoll registrations",
    Resource.MEMORY_MAPS: "memory mappings",
    Resource.MEMORY: "memory of the target",
    Resource.HOST_MEMORY: "memory of the host",
    Resource.ADDRESS_SPACE: "address space of a process",
    Resource.DATA_SEGMENT: "data segment of a process",
    Resource.HEAP: "heap of a runtime",
    Resource.TCP_MEMORY: "kernel memory for TCP",
    Resource.CPU: "CPU of the target",
    Resource.EVENT_LOOP: "event loop (hottest thread)",
    Resource.NETWORK_OUT: "network, outgoing",
    Resource.DELIVERY_DELAY: "delivery delay",
    Resource.REQUEST_LATENCY: "request latency",
    Resource.HANDSHAKE_TIME: "handshake time",
}

LOADS: dict[str, str] = {
    "connections": "connections",
    "deliveries_per_s": "deliveries",
    "requests_per_s": "requests",
    "handshakes_per_s": "handshakes",
}
"""Fields of LoadVector that costs are attributed to."""


def at_ports(name: str, ports: Sequence[int]) -> str:
    """Return "name", "name at port 80" or "name at ports 80, 81 and 9 more"."""
    if not ports:
        return name
    shown = [str(port) for port in ports[:_SHOWN_PORTS]]
    more = len(ports) - len(shown)
    noun = "port" if len(ports) == 1 else "ports"
    return f"{name} at {noun} {listed([*shown, *([f'{more} more'] if more else [])])}"


def listed(names: Sequence[str]) -> str:
    """Return "a", "a and b", "a, b and c"."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def printable(value: object, longest: int = LONGEST_TEXT) -> str:
    """Return *value* as one line of visible characters, cut where it grows unreadable."""
    text = str(value)
    if len(text) > longest:
        text = text[: longest - 1] + "…"
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else " " if character.isspace() else "\ufffd"
        for character in text
    )
