"""A network namespace with what a case plants there: a narrow link, few ports, a small tracking table."""

import contextlib
import os
import shutil
import subprocess
from pathlib import Path

NETFILTER = Path("/proc/sys/net/netfilter")
TRACKING = (
    "add table inet validation",
    "add chain inet validation input { type filter hook input priority 0; }",
    "add rule inet validation input ct state invalid drop",
)


class CannotPlantError(Exception):
    """The limit cannot be planted on this machine."""


def run(*argv):
    if not shutil.which(argv[0]):
        raise CannotPlantError(f"{argv[0]} is not installed")
    finished = subprocess.run(argv, capture_output=True, text=True, check=False)
    if finished.returncode:
        raise CannotPlantError(f"{' '.join(argv)}: {finished.stderr.strip()}")


def addresses(pid):
    """Return both ends of a network of a process's own, so that two of them can be had at once."""
    number = pid % (1 << 14)
    return tuple(f"10.92.{number >> 6}.{number % 64 * 4 + end}" for end in (1, 2))


@contextlib.contextmanager
def namespace(case):
    """Make a network namespace for the length of a block; yield its name and address."""
    name = f"validation{os.getpid()}"
    host, guest = addresses(os.getpid())
    outer, inner = f"v{os.getpid()}o", f"v{os.getpid()}i"
    with contextlib.ExitStack() as stack:
        run("ip", "netns", "add", name)
        stack.callback(run, "ip", "netns", "del", name)
        run("ip", "link", "add", outer, "type", "veth", "peer", "name", inner, "netns", name)
        # The namespace goes when its last process is gone, its link at once.
        stack.callback(_forgiving, "ip", "link", "del", outer)
        run("ip", "addr", "add", f"{host}/30", "dev", outer)
        run("ip", "link", "set", outer, "up")
        run("ip", "-n", name, "addr", "add", f"{guest}/30", "dev", inner)
        run("ip", "-n", name, "link", "set", inner, "up")
        run("ip", "-n", name, "link", "set", "lo", "up")
        inside = ("ip", "netns", "exec", name)
        if case.egress_bytes_per_s:
            shape = f"rate {case.egress_bytes_per_s * 8} burst 64kb latency 200ms"
            run(*inside, *f"tc qdisc add dev {inner} root tbf {shape}".split())
        if case.ports:
            setting = f"net.ipv4.ip_local_port_range=20000 {20000 + case.ports - 1}"
            run(*inside, "sysctl", "-qw", setting)
        if case.tracked:
            for rule in TRACKING:
                run(*inside, "nft", rule)
            stack.enter_context(_small_tracking_table(case.tracked))
        yield name, guest


def _forgiving(*argv):
    with contextlib.suppress(CannotPlantError):
        run(*argv)


@contextlib.contextmanager
def _small_tracking_table(entries):
    """Lower the table's size, which holds for every namespace, where nobody else tracks anything."""
    size = NETFILTER / "nf_conntrack_max"
    try:
        before, used = size.read_text(), int((NETFILTER / "nf_conntrack_count").read_text())
    except OSError as error:
        raise CannotPlantError(f"no connection tracking: {error.strerror}") from None
    if used:
        raise CannotPlantError(f"this host tracks {used} connections of its own")
    size.write_text(str(entries))
    try:
        yield
    finally:
        size.write_text(before)
