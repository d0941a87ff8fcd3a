"""Reading and parsing /proc; formats as in proc(5). Parsers raise ValueError on anything else."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_CHUNK_BYTES = 1 << 16


def read_text(path: str) -> str:
    """Return the content of *path* with three system calls: it is read every second."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        content = b""
        while chunk := os.read(descriptor, _CHUNK_BYTES):
            content += chunk
    except OSError as error:
        error.filename = path
        raise
    finally:
        os.close(descriptor)
    return content.decode(errors="replace")


def read_number(path: str) -> int:
    return int(read_text(path))


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessStat:
    """The fields of /proc/PID/stat (or of one thread's) that we use."""

    state: str
    parent_pid: int
    cpu_ticks: int
    """User and system time of the process itself; exited children are not in it."""
    threads: int
    started_ticks: int
    """Start time in ticks since boot: with the pid, it tells one process from the next."""
    virtual_bytes: int
    """Addresses that are mapped: VmSize of /proc/PID/status."""
    resident_bytes: int

    @property
    def is_alive(self) -> bool:
        return self.state not in {"Z", "X", "x"}


def parse_stat(text: str) -> ProcessStat:
    """Parse one line of stat. The name in parentheses may hold spaces and parentheses itself."""
    fields = text.rpartition(")")[2].split()
    if len(fields) < 22:
        raise ValueError(
            f"stat has {len(fields)} fields after the name, at least 22 are documented"
        )
    return ProcessStat(
        state=fields[0],
        parent_pid=int(fields[1]),
        cpu_ticks=int(fields[11]) + int(fields[12]),
        threads=int(fields[17]),
        started_ticks=int(fields[19]),
        virtual_bytes=int(fields[20]),
        resident_bytes=int(fields[21]) * PAGE_BYTES,
    )


def parse_meminfo(text: str) -> dict[str, int]:
    """Return the entries of /proc/meminfo that are sizes, in bytes."""
    sizes_bytes = {}
    for line in text.splitlines():
        name, _, value = line.partition(":")
        if value.endswith(" kB"):
            sizes_bytes[name] = int(value[:-3]) * 1024
    return sizes_bytes


def parse_paired_lines(text: str, protocol: str) -> dict[str, int]:
    """Return the counters of *protocol* in /proc/net/snmp or netstat: names, then values."""
    prefix = f"{protocol}:"
    rows = [line.split()[1:] for line in text.splitlines() if line.startswith(prefix)]
    if len(rows) != 2 or len(rows[0]) != len(rows[1]):
        raise ValueError(f"no pair of '{prefix}' lines of equal length")
    return {name: int(value) for name, value in zip(*rows, strict=True)}


def parse_sockstat(text: str, protocol: str) -> dict[str, int]:
    """Return the entries of *protocol*'s line in /proc/net/sockstat; `mem` is in pages."""
    for line in text.splitlines():
        name, _, rest = line.partition(":")
        if name == protocol:
            words = rest.split()
            return {key: int(value) for key, value in zip(words[::2], words[1::2], strict=True)}
    raise ValueError(f"no line '{protocol}:'")


def parse_flat_keyed(text: str) -> dict[str, int]:
    """Return the entries of a flat keyed file of a cgroup: a name and a number a line."""
    entries = {}
    for line in text.splitlines():
        name, _, value = line.partition(" ")
        entries[name] = int(value)
    return entries


def parse_interfaces(text: str) -> dict[str, tuple[int, int]]:
    """Return received and sent bytes of each interface in /proc/net/dev."""
    bytes_by_interface = {}
    for line in text.splitlines()[2:]:
        name, colon, rest = line.rpartition(":")
        columns = rest.split()
        if not colon or len(columns) < 9:
            raise ValueError(f"an interface needs 9 columns: {line.strip()!r}")
        bytes_by_interface[name.strip()] = int(columns[0]), int(columns[8])
    return bytes_by_interface


def parse_cores(text: str) -> set[int]:
    """Return the cores of a list such as 0-3,8."""
    cores: set[int] = set()
    for part in text.strip().split(","):
        first, dash, last = part.partition("-")
        cores.update(range(int(first), int(last if dash else first) + 1))
    return cores


def needed(values: Mapping[str, int], name: str) -> int:
    """Return the entry *name*; ValueError where this kernel does not have it."""
    if name not in values:
        raise ValueError(f"no entry {name}")
    return values[name]
