"""The cap that a runtime puts on its own heap: JVM, node, Deno, PHP, Go and .NET.

Where no option says otherwise a JVM takes a quarter of the memory that it may use, or half of it
where that is little (the JDK's Arguments::set_heap_size), node and Deno what V8 makes of the memory
(v8_heap.py); the cap of V8 is one on the old generation, beside which the young one has up to two
semi-spaces. Go's limit is soft: beyond it nothing is refused, but garbage is collected ever more often.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from capacity.domain.resources import AuditEntry, Limit, LimitState, Resource, Scaling
from capacity.monitor.host.procfs import needed, parse_meminfo, read_text
from capacity.monitor.host.target import TargetView
from capacity.monitor.limits.applications.settings import UnclearError
from capacity.monitor.limits.cgroups import ancestors
from capacity.monitor.limits.net_heap import (
    net_config_exists,
    net_config_option,
    net_default_bytes,
)
from capacity.monitor.limits.php_memory import php_option
from capacity.monitor.limits.runtime_options import (
    GO_LIMIT,
    HeapOption,
    OptionsInFileError,
    environment,
    go_option,
    is_of_old_space,
    java_option,
    net_option,
    v8_option,
    v8_semi_space,
)
from capacity.monitor.limits.runtimes import Runtime, is_go, program_path, runtime_of
from capacity.monitor.limits.states import known, unknown, unlimited
from capacity.monitor.limits.v8_heap import old_space_bytes, semi_space_bytes
from capacity.monitor.readings import READ_ERRORS

_DECLARE = "declare it as limits.heap in the target file"
_V8 = (Runtime.NODE, Runtime.DENO)
_NO_PHP_LIMIT = "PHP is told to have no memory_limit"
_NO_CAP = f"neither a JVM, node, Deno, PHP or .NET, nor Go with {GO_LIMIT}; BEAM's heap has no cap"
_NO_NET_LIMIT = "no hard limit is set, and no container has one"
_SMALL_HEAP_BYTES = (96 << 20) * 13 // 10
"""MaxHeapSize of a JVM of 64 bits before it looks at the memory."""
_DEFAULT_RATIO = 0.25
_LARGEST_DEFAULT_BYTES = 32 << 30
"""Beyond it references take twice the room."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeapCap:
    """What one process's runtime allows its heap."""

    runtime: Runtime
    limit: Limit
    young_bytes: int = 0
    """What the process may hold beside what the cap is on: V8's young generation."""


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
        return where if where.startswith("/") else f"{self.proc}/{self.pid}/{where}"


def heap_cap(pid: int, proc: str = "/proc") -> HeapCap:
    """Return the cap of *pid*; READ_ERRORS where not even its program can be told."""
    words = read_text(f"{proc}/{pid}/cmdline").split("\0")
    hidden: OSError | None = None
    variables: dict[str, str] = {}
    try:
        variables = environment(read_text(f"{proc}/{pid}/environ"))
    except PermissionError as error:
        hidden = error
    runtime = runtime_of(pid, words, proc)
    if runtime is Runtime.OTHER and GO_LIMIT in variables and is_go(f"{proc}/{pid}/exe"):
        runtime = Runtime.GO
    if runtime is Runtime.OTHER and net_config_exists(pid, words[0], proc):
        runtime = Runtime.NET
    process = _Process(
        pid=pid, proc=proc, runtime=runtime, words=words, variables=variables, hidden=hidden
    )
    try:
        limit = _limit(process)
    except OptionsInFileError as error:
        limit = _unknown(pid, proc, f"{error}: {_DECLARE}")
    except UnclearError as error:
        limit = _unknown(pid, proc, f"{error.where}: {error}")
    except READ_ERRORS as error:
        limit = _unknown(pid, proc, error)
    young_bytes = 0
    if runtime in _V8 and limit.state is LimitState.KNOWN:
        with suppress(*READ_ERRORS):  # Then the cap is the lower one, without it.
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


def _limit(process: _Process) -> Limit:
    option = _option(process)
    if option is not None:
        return _as_given(option, process)
    if process.hidden is not None:
        return _unknown(process.pid, process.proc, process.hidden)
    match process.runtime:
        case Runtime.NODE | Runtime.DENO:
            return _v8_default(process)
        case Runtime.JVM:
            return _jvm_default(process)
        case Runtime.NET:
            return _net_default(process)
    where = _NO_PHP_LIMIT if process.runtime is Runtime.PHP else _NO_CAP
    return unlimited(Resource.HEAP, "process", f"{process.source('cmdline')}: {where}")


def _option(process: _Process) -> HeapOption | None:
    match process.runtime:
        case Runtime.JVM:
            return java_option(process.words, process.variables)
        case Runtime.NODE | Runtime.DENO:
            is_deno = process.runtime is Runtime.DENO
            return v8_option(process.words, process.variables, is_deno=is_deno)
        case Runtime.PHP:
            program = program_path(process.pid, process.proc)
            return php_option(process.pid, program, process.words, process.variables, process.proc)
        case Runtime.GO:
            return go_option(process.variables)
        case Runtime.NET:
            return net_option(process.variables) or net_config_option(
                process.pid, process.words, process.proc
            )
    return None


def _as_given(option: HeapOption, process: _Process) -> Limit:
    soft = ", a soft limit" if process.runtime is Runtime.GO else ""
    source = f"{process.source(option.where)}: {option.text}{soft}"
    if option.size_bytes is not None:
        return known(Resource.HEAP, option.size_bytes, "process", source)
    memory_bytes, where = _memory_bytes(process.pid, process.proc)
    ratio = option.memory_ratio or 0.0
    is_net = process.runtime is Runtime.NET
    value = memory_bytes * ratio if is_net else _jvm_heap_bytes(memory_bytes, ratio)
    return known(Resource.HEAP, value, "process", f"{source} of {where}")


def _young_bytes(process: _Process) -> int:
    """Return how large V8 lets the young generation grow: two semi-spaces."""
    given = _option(process)
    if given is not None and not is_of_old_space(given):
        return 0
    is_deno = process.runtime is Runtime.DENO
    option = v8_semi_space(process.words, process.variables, is_deno=is_deno)
    if option is not None and option.size_bytes is not None:
        return 2 * option.size_bytes
    return 2 * semi_space_bytes(_v8_memory(process)[0])


def _v8_default(process: _Process) -> Limit:
    memory_bytes, where = _v8_memory(process)
    source = f"{process.source('cmdline')}: no --max-old-space-size, so V8's share of {where}"
    return known(Resource.HEAP, old_space_bytes(memory_bytes), "process", source)


def _v8_memory(process: _Process) -> tuple[int, str]:
    """Return the memory that V8 goes by, and where that stands.

    Deno looks at no container, and node at none whose files it does not find, as below ip-netns(8).
    """
    hidden = False
    with suppress(OSError):
        hidden = not os.listdir(f"{process.proc}/{process.pid}/root/sys/fs/cgroup")  # noqa: PTH208
    if hidden or process.runtime is Runtime.DENO:
        return _host_memory(process.proc)
    return _memory_bytes(process.pid, process.proc)


def _jvm_default(process: _Process) -> Limit:
    memory_bytes, where = _memory_bytes(process.pid, process.proc)
    value = min(_jvm_heap_bytes(memory_bytes, _DEFAULT_RATIO), _LARGEST_DEFAULT_BYTES)
    source = f"{process.source('cmdline')}: no -Xmx, so a share of {where}"
    return known(Resource.HEAP, value, "process", source)


def _net_default(process: _Process) -> Limit:
    memory_bytes, where = _memory_bytes(process.pid, process.proc)
    source = process.source("cmdline")
    if where.startswith(f"{process.proc}/meminfo"):
        return unlimited(Resource.HEAP, "process", f"{source}: {_NO_NET_LIMIT}")
    source = f"{source}: no hard limit is set, so three quarters of {where}"
    return known(Resource.HEAP, net_default_bytes(memory_bytes), "process", source)


def _jvm_heap_bytes(memory_bytes: int, ratio: float) -> float:
    """Return what a JVM takes that may have *ratio* of the memory: half of it where that is little."""
    if memory_bytes / 2 < _SMALL_HEAP_BYTES:
        return memory_bytes / 2
    return max(memory_bytes * ratio, _SMALL_HEAP_BYTES)


def _memory_bytes(pid: int, proc: str) -> tuple[int, str]:
    """Return the memory that a runtime finds, and where: its container's or the host's."""
    found = [_host_memory(proc)]
    for group in ancestors(pid, "memory", proc):
        limit = group.limit("memory.max")
        if limit is not None:
            found.append((limit, group.file("memory.max")))
    return min(found)


def _host_memory(proc: str) -> tuple[int, str]:
    path = f"{proc}/meminfo"
    return needed(parse_meminfo(read_text(path)), "MemTotal"), f"{path}: MemTotal"


def _unknown(pid: int, proc: str, why: Exception | str) -> Limit:
    return unknown(Resource.HEAP, "process", f"{proc}/{pid}/cmdline and environ", why)
