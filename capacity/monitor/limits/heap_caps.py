"""The cap that a runtime puts on its own heap: JVM, node, Go and .NET.

A process is known by the name of its program, a program of Go by a section that the linker writes.
Where no option says otherwise a JVM takes a quarter of the memory that it may use, or half of it
where that is little (the JDK's Arguments::set_heap_size). What node takes is V8's choice, another
one with each version, and unknown; the cap that it is given is one on the old generation, beside
which the young one has up to two semi-spaces. Go's limit is soft: beyond it nothing is refused, but garbage is
collected ever more often.
"""

import os
import struct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePath

from capacity.domain.resources import AuditEntry, Limit, LimitState, Resource, Scaling
from capacity.monitor.host.procfs import needed, parse_meminfo, read_text
from capacity.monitor.host.target import TargetView
from capacity.monitor.limits.cgroups import ancestors
from capacity.monitor.limits.runtime_options import (
    GO_LIMIT,
    NET_LIMITS,
    HeapOption,
    OptionsInFileError,
    environment,
    go_option,
    java_option,
    net_option,
    node_option,
    node_semi_space,
)
from capacity.monitor.limits.states import known, unknown, unlimited
from capacity.monitor.readings import READ_ERRORS


class Runtime(StrEnum):
    """Who allots the heap."""

    JVM = "JVM"
    NODE = "node"
    GO = "Go"
    NET = ".NET"
    OTHER = "other"
    """None that is known to have a cap."""


_PROGRAMS = {
    "java": Runtime.JVM,
    "node": Runtime.NODE,
    "nodejs": Runtime.NODE,
    "dotnet": Runtime.NET,
}
_DECLARE = "declare it as limits.heap in the target file"
_NO_NODE_OPTION = f"V8 chooses it by its version and the memory: start node with --max-old-space-size, or {_DECLARE}"
_NO_NET_OPTION = f"it follows a container's memory: set {NET_LIMITS[0]}, or {_DECLARE}"
_SMALL_HEAP_BYTES = (96 << 20) * 13 // 10
"""MaxHeapSize of a JVM of 64 bits before it looks at the memory."""
_DEFAULT_RATIO = 0.25
_LARGEST_DEFAULT_BYTES = 32 << 30
"""Beyond it references take twice the room."""
_SEMI_SPACE_BYTES, _MEMORY_A_SEMI_SPACE = 16 << 20, 512
_ELF64_LITTLE = b"\x7fELF\x02\x01"
_GO_SECTION = b".go.buildinfo\0"
_MOST_NAMES_BYTES = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class HeapCap:
    """What one process's runtime allows its heap."""

    runtime: Runtime
    limit: Limit
    young_bytes: int = 0
    """What the process may hold beside what the cap is on: node's young generation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Process:
    pid: int
    proc: str
    runtime: Runtime
    words: list[str]
    """The command line."""
    variables: dict[str, str]
    hidden: OSError | None
    """Why the environment could not be read."""

    def source(self, where: str) -> str:
        return f"{self.proc}/{self.pid}/{where}"


def heap_cap(pid: int, proc: str = "/proc") -> HeapCap:
    """Return the cap of *pid*; READ_ERRORS where not even its program can be told."""
    words = read_text(f"{proc}/{pid}/cmdline").split("\0")
    hidden: OSError | None = None
    variables: dict[str, str] = {}
    try:
        variables = environment(read_text(f"{proc}/{pid}/environ"))
    except PermissionError as error:
        hidden = error
    runtime = _runtime(pid, words, proc)
    if runtime is Runtime.OTHER and GO_LIMIT in variables and _is_go(f"{proc}/{pid}/exe"):
        runtime = Runtime.GO
    process = _Process(
        pid=pid, proc=proc, runtime=runtime, words=words, variables=variables, hidden=hidden
    )
    try:
        limit = _limit(process)
    except OptionsInFileError as error:
        limit = _unknown(pid, proc, f"{error}: {_DECLARE}")
    except READ_ERRORS as error:
        limit = _unknown(pid, proc, error)
    young_bytes = 0
    if runtime is Runtime.NODE and limit.state is LimitState.KNOWN:
        with suppress(*READ_ERRORS):
            young_bytes = _young_bytes(process)
    return HeapCap(runtime=runtime, limit=limit, young_bytes=young_bytes)


def heap_entries(target: TargetView) -> Iterator[AuditEntry]:
    """Yield the smallest cap of the target's processes; else what is known instead."""
    limits = []
    for pid in target.stats:
        try:
            limits.append(heap_cap(pid, target.proc).limit)
        except READ_ERRORS as error:
            limits.append(_unknown(pid, target.proc, error))
    limit = min(limits, key=_rank)
    yield AuditEntry(
        name="cap of the runtime's heap",
        state=limit.state,
        value=limit.value,
        unit="bytes",
        scope=limit.scope,
        source=limit.source,
        scales_with=Scaling.BYTES,
        resource=Resource.HEAP,
        reason=limit.reason,
    )


def _rank(limit: Limit) -> tuple[int, float]:
    order = (LimitState.KNOWN, LimitState.UNKNOWN, LimitState.UNLIMITED)
    return order.index(limit.state), limit.value or 0.0


def _runtime(pid: int, words: list[str], proc: str) -> Runtime:
    names = [words[0]]
    with suppress(OSError):  # Not ours to look at; most programs leave their first word alone.
        names.append(os.readlink(f"{proc}/{pid}/exe").removesuffix(" (deleted)"))  # noqa: PTH115 - as in discovery
    found = (_PROGRAMS.get(PurePath(name).name) for name in names)
    return next(filter(None, found), Runtime.OTHER)


def _limit(process: _Process) -> Limit:
    option = _option(process)
    if option is not None:
        return _as_given(option, process)
    if process.hidden is not None:
        return _unknown(process.pid, process.proc, process.hidden)
    match process.runtime:
        case Runtime.JVM:
            return _jvm_default(process)
        case Runtime.NODE:
            return _unknown(process.pid, process.proc, _NO_NODE_OPTION)
        case Runtime.NET:
            return _unknown(process.pid, process.proc, _NO_NET_OPTION)
    where = f"neither a JVM, node or .NET, nor Go with {GO_LIMIT}"
    return unlimited(Resource.HEAP, "process", f"{process.source('cmdline')}: {where}")


def _option(process: _Process) -> HeapOption | None:
    match process.runtime:
        case Runtime.JVM:
            return java_option(process.words, process.variables)
        case Runtime.NODE:
            return node_option(process.words, process.variables)
        case Runtime.GO:
            return go_option(process.variables)
        case Runtime.NET:
            return net_option(process.variables)
    return None


def _as_given(option: HeapOption, process: _Process) -> Limit:
    soft = ", a soft limit" if process.runtime is Runtime.GO else ""
    source = f"{process.source(option.where)}: {option.text}{soft}"
    if option.size_bytes is not None:
        return known(Resource.HEAP, option.size_bytes, "process", source)
    memory_bytes, where = _memory_bytes(process.pid, process.proc)
    value = _jvm_heap_bytes(memory_bytes, option.memory_ratio or 0.0)
    return known(Resource.HEAP, value, "process", f"{source} of {where}")


def _young_bytes(process: _Process) -> int:
    """Return how large V8 lets the young generation of node grow: two semi-spaces.

    Where no option says otherwise a semi-space is at most 16 MiB, and less where there is little memory
    (node's command-line API: 1 MiB at 512 MiB).
    """
    option = node_semi_space(process.words, process.variables)
    if option is not None and option.size_bytes is not None:
        return 2 * option.size_bytes
    memory_bytes, _ = _memory_bytes(process.pid, process.proc)
    return 2 * min(max(memory_bytes // _MEMORY_A_SEMI_SPACE, 1 << 20), _SEMI_SPACE_BYTES)


def _jvm_default(process: _Process) -> Limit:
    memory_bytes, where = _memory_bytes(process.pid, process.proc)
    value = min(_jvm_heap_bytes(memory_bytes, _DEFAULT_RATIO), _LARGEST_DEFAULT_BYTES)
    source = f"{process.source('cmdline')}: no -Xmx, so a share of {where}"
    return known(Resource.HEAP, value, "process", source)


def _jvm_heap_bytes(memory_bytes: int, ratio: float) -> float:
    """Return what a JVM takes that may have *ratio* of the memory: half of it where that is little."""
    if memory_bytes / 2 < _SMALL_HEAP_BYTES:
        return memory_bytes / 2
    return max(memory_bytes * ratio, _SMALL_HEAP_BYTES)


def _memory_bytes(pid: int, proc: str) -> tuple[int, str]:
    """Return the memory that a runtime finds, and where: its container's or the host's."""
    path = f"{proc}/meminfo"
    found = [(needed(parse_meminfo(read_text(path)), "MemTotal"), f"{path}: MemTotal")]
    for group in ancestors(pid, "memory", proc):
        limit = group.limit("memory.max")
        if limit is not None:
            found.append((limit, group.file("memory.max")))
    return min(found)


def _unknown(pid: int, proc: str, why: Exception | str) -> Limit:
    return unknown(Resource.HEAP, "process", f"{proc}/{pid}/cmdline and environ", why)


def _is_go(path: str) -> bool:
    """Return whether the program at *path* has the section that every program of Go has.

    ELF of 64 bits, little-endian, as elf(5) has it; anything else is none of Go's.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        head = os.pread(descriptor, 64, 0)
        if len(head) < 64 or not head.startswith(_ELF64_LITTLE):
            return False
        (sections_at,) = struct.unpack_from("<Q", head, 0x28)
        entry_bytes, _count, names = struct.unpack_from("<HHH", head, 0x3A)
        entry = os.pread(descriptor, 64, sections_at + names * entry_bytes)
        if len(entry) < 64:
            return False
        names_at, names_bytes = struct.unpack_from("<QQ", entry, 0x18)
        text = os.pread(descriptor, min(names_bytes, _MOST_NAMES_BYTES), names_at)
    except (OverflowError, OSError):
        return False  # An offset that no file has.
    finally:
        os.close(descriptor)
    return _GO_SECTION in text
