"""Limits of the cgroups above a process, in version 1, 2 or both (cgroups(7)).

The path in /proc/PID/cgroup counts from the root of the reader's cgroup namespace, a mount may
show only a subtree, and every ancestor may set a limit of its own: the tightest one binds.
"""

import errno
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from capacity.monitor.host.procfs import needed, parse_flat_keyed, read_number, read_text

_V1_UNLIMITED_BYTES = 1 << 60
"""Version 1 says "no limit" as the largest number of pages it can hold, in bytes."""

_V1_NAMES = {
    "memory.max": "memory.limit_in_bytes",
    "memory.current": "memory.usage_in_bytes",
    "memory.peak": "memory.max_usage_in_bytes",
    "cpu.max": "cpu.cfs_quota_us",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cgroup:
    """One directory of a hierarchy; files are asked for by their version 2 names."""

    path: str
    version: int

    def file(self, name: str) -> str:
        return f"{self.path}/{_V1_NAMES.get(name, name) if self.version == 1 else name}"

    def usage(self, name: str) -> int:
        return read_number(self.file(name))

    def charged_and_cache_bytes(self) -> tuple[int, int]:
        """Return the memory in use with all file cache, and how much of it is cache.

        Of all members and below. The cache are the pages on the kernel's lists of files, active and
        inactive ones, which it gives up before it kills; shared memory and locked pages are not on them.
        """
        prefix = "total_" if self.version == 1 else ""
        entries = parse_flat_keyed(read_text(self.file("memory.stat")))
        cache = sum(needed(entries, f"{prefix}{kind}_file") for kind in ("inactive", "active"))
        # The two files are read one after the other: the cache may be the newer number.
        charged = self.usage("memory.current")
        return charged, min(charged, cache)

    def limit(self, name: str) -> int | None:
        """Return memory.max or pids.max; None when there is none, as in a root cgroup."""
        try:
            text = read_text(self.file(name)).strip()
        except FileNotFoundError:
            return None
        if text == "max" or int(text) >= _V1_UNLIMITED_BYTES:
            return None
        return int(text)

    def quota_cores(self) -> float | None:
        """Return the bandwidth quota in cores; None when there is none."""
        try:
            if self.version == 1:
                quota_us = read_text(self.file("cpu.cfs_quota_us")).strip()
                period_us = read_text(self.file("cpu.cfs_period_us")).strip()
            else:
                quota_us, _, period_us = read_text(self.file("cpu.max")).strip().partition(" ")
        except FileNotFoundError:
            return None
        if quota_us in {"-1", "max"}:
            return None
        return int(quota_us) / int(period_us)

    @property
    def quota_file(self) -> str:
        return self.file("cpu.max")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Mount:
    path: str
    shown: str
    """The directory of the hierarchy that the mount shows as its root."""
    version: int
    options: frozenset[str]


def ancestors(pid: int, controller: str, proc: str = "/proc") -> tuple[Cgroup, ...]:
    """Return the cgroups of *pid* for *controller*, its own first, up to the visible root.

    Empty when the kernel has no such controller; FileNotFoundError when the cgroup of the
    process cannot be seen from here.
    """
    version, inside = _membership(read_text(f"{proc}/{pid}/cgroup"), controller)
    if not version:
        return ()
    for mount in _mounts(read_text(f"{proc}/self/mountinfo")):
        if mount.version != version or (version == 1 and controller not in mount.options):
            continue
        return tuple(
            Cgroup(path=str(directory), version=version)
            for directory in _directories(Path(mount.path), mount.shown, inside)
        )
    raise FileNotFoundError(errno.ENOENT, "no mount", f"the cgroup file system of {controller}")


def _membership(text: str, controller: str) -> tuple[int, str]:
    unified = (0, "")
    for line in text.splitlines():
        _, controllers, path = line.split(":", 2)
        if controller in controllers.split(","):
            return 1, path
        if not controllers:
            unified = (2, path)
    return unified


def _mounts(mountinfo: str) -> Iterator[_Mount]:
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        fields, kind = before.split(), after.split()
        is_whole = len(fields) > 4 and len(kind) > 2
        if is_whole and kind[0] in {"cgroup", "cgroup2"}:
            yield _Mount(
                path=fields[4],
                shown=fields[3],
                version=1 if kind[0] == "cgroup" else 2,
                options=frozenset(kind[2].split(",")),
            )


def _directories(mount: Path, shown: str, inside: str) -> list[Path]:
    if inside.startswith("/.."):
        raise FileNotFoundError(
            errno.ENOENT,
            "outside",
            f"{inside} (outside the agent's cgroup namespace: start it on the host)",
        )
    relative = inside.removeprefix(shown) if shown != "/" else inside
    own = mount / relative.lstrip("/")
    if not own.is_dir():
        raise FileNotFoundError(errno.ENOENT, "no such cgroup", str(own))
    return [own, *(parent for parent in own.parents if parent.is_relative_to(mount))]
