"""When the port of a connection that was closed can be had again (tcp_tw_reuse in ip-sysctl.rst).

Whichever side closes first keeps its port for a minute (TIME_WAIT). A new connection to the same
destination may take it over where the kernel is told so: by default on loopback alone, and after a
second.
"""

from dataclasses import dataclass

from capacity.monitor.host.procfs import read_text

TIME_WAIT_S = 60.0
"""TCP_TIMEWAIT_LEN, which no setting changes."""
_ANY, _LOOPBACK_ONLY = 1, 2
_MAPPED = bytes(10) + b"\xff\xff"
"""How IPv6 sockets hold an IPv4 address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PortReuse:
    """What the kernel of one network namespace does with ports in TIME_WAIT."""

    mode: int
    """0: they stay taken, 1: a new connection takes them over, 2: likewise, on loopback alone."""
    after_s: float = 1.0
    """tcp_tw_reuse_delay, where the kernel has it."""

    def is_taken(self, local: bytes, left_s: float) -> bool:
        """Return whether a port of the *local* address, 16 bytes, with *left_s* to wait is taken."""
        is_reused = self.mode == _ANY or (self.mode == _LOOPBACK_ONLY and _is_loopback(local))
        return not is_reused or TIME_WAIT_S - left_s < self.after_s


def port_reuse(proc: str) -> PortReuse:
    """Return what holds in the caller's network namespace; OSError, ValueError if unreadable."""
    folder = f"{proc}/sys/net/ipv4"
    mode = int(read_text(f"{folder}/tcp_tw_reuse"))
    if not int(read_text(f"{folder}/tcp_timestamps")):
        mode = 0  # By their timestamps the kernel tells segments of the old connection.
    try:
        return PortReuse(mode=mode, after_s=int(read_text(f"{folder}/tcp_tw_reuse_delay")) / 1000)
    except FileNotFoundError:
        return PortReuse(mode=mode)


def _is_loopback(address: bytes) -> bool:
    if not any(address[4:]):
        return address.startswith(b"\x7f")
    return address == bytes(15) + b"\x01" or address.startswith(_MAPPED + b"\x7f")
