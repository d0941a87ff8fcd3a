"""The processes of a systemd unit or a cgroup, read from the mounted hierarchies alone.

systemd gives each unit a cgroup of the unit's name: in the unified hierarchy, or in its own
(name=systemd) beside version 1 controllers. Neither systemctl nor D-Bus is needed.
"""

import os
from collections.abc import Iterable
from pathlib import Path

from capacity.domain.errors import ConfigError, UnreachableError
from capacity.monitor.host.procfs import read_text

ROOT = Path("/sys/fs/cgroup")


def unit_members(unit: str, root: Path = ROOT) -> set[int]:
    """Return the processes of the unit called *unit*; `.service` is added to a bare name."""
    name = unit if "." in unit else f"{unit}.service"
    tops = _hierarchies(root)
    found = {
        (Path(directory) / name).relative_to(top)
        for top in tops
        for directory, children, _ in os.walk(top)
        if name in children
    }
    if not found:
        raise UnreachableError(
            f"no unit {name} is running: it has no cgroup below {root}; start it first, "
            "`systemctl status` lists those that run"
        )
    if len(found) > 1:
        listed = ", ".join(f"/{path}" for path in sorted(found))
        raise ConfigError(
            f"--unit {unit} is {len(found)} cgroups: {listed}; choose one with --cgroup"
        )
    return _members(top / path for top in tops for path in found)


def cgroup_members(path: str, root: Path = ROOT) -> set[int]:
    """Return the processes in the cgroup at *path* and in all below it."""
    relative = Path(path.removeprefix(str(root)).lstrip("/"))
    if ".." in relative.parts or not relative.parts:
        raise ConfigError(
            f"--cgroup {path}: must be the path of a cgroup below the root, without .."
        )
    directories = {top / relative for top in (root, *_hierarchies(root))}
    found = sorted(directory for directory in directories if directory.is_dir())
    if not found:
        raise UnreachableError(
            f"there is no cgroup {path} below {root}: start the target first; /proc/PID/cgroup "
            "tells a process's own"
        )
    return _members(found)


def _hierarchies(root: Path) -> list[Path]:
    """Return the mounted hierarchies: *root* itself where all is version 2, else those in it."""
    if (root / "cgroup.controllers").exists():
        return [root]
    try:
        with os.scandir(root) as found:
            entries = sorted(entry.name for entry in found)
    except OSError:
        return []
    return [root / name for name in entries if (root / name / "cgroup.procs").exists()]


def _members(directories: Iterable[Path]) -> set[int]:
    return {
        pid
        for top in directories
        for directory, _, _ in os.walk(top)
        for pid in _pids_in(f"{directory}/cgroup.procs")
    }


def _pids_in(file: str) -> set[int]:
    try:
        # A zero stands for a process outside our pid namespace.
        return {int(line) for line in read_text(file).split()} - {0}
    except (OSError, ValueError):
        return set()  # Gone meanwhile, or a threaded cgroup, whose processes its parent lists.
