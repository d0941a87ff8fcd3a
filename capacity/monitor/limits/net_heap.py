"""The hard limit of .NET's heap: in NAME.runtimeconfig.json beside the program, else by the container.

.NET's runtime configuration for garbage collection: the environment beats the file, a size beats a share;
where neither is set, it is three quarters of what a container may have, 20 MiB at least, and outside of a
container there is none. A program that is one file with its configuration inside says nothing of it.
"""

import os
from collections.abc import Sequence
from pathlib import PurePath

from capacity.monitor.limits.applications.documents.plain_yaml import parse
from capacity.monitor.limits.applications.process import files_of
from capacity.monitor.limits.runtime_options import HeapOption

_ENDING = ".runtimeconfig.json"
_OPTION = "--runtimeconfig"
_SIZE, _SHARE = "System.GC.HeapHardLimit", "System.GC.HeapHardLimitPercent"
_DEFAULT_RATIO, _LEAST_BYTES = 0.75, 20 << 20


def net_config_option(pid: int, words: Sequence[str], proc: str = "/proc") -> HeapOption | None:
    """Return what the file of a program sets; None where it sets nothing or is none."""
    path = _path(words)
    if path is None:
        return None
    files = files_of(pid, proc)
    path = files.absolute(path)
    if not files.exists(path):
        return None
    properties = parse(files.text(path), path).at("runtimeOptions", "configProperties")
    size = properties.at(_SIZE).setting(_SIZE)
    share = properties.at(_SHARE).setting(_SHARE)
    if size is not None and size.number():
        return HeapOption(text=_said(size.text), where=size.where, size_bytes=size.number())
    if share is not None and share.number():
        ratio = share.number() / 100
        return HeapOption(text=_said(share.text, _SHARE), where=share.where, memory_ratio=ratio)
    return None


def net_config_exists(pid: int, program: str, proc: str = "/proc") -> bool:
    """Tell whether a file beside *program* says that it is one of .NET's; it is not opened for that."""
    folder = "root" if program.startswith("/") else "cwd"
    return os.path.lexists(f"{proc}/{pid}/{folder}/{program}{_ENDING}")


def net_default_bytes(container_bytes: int) -> float:
    """Return the limit where none is set and the container has one."""
    return max(container_bytes * _DEFAULT_RATIO, _LEAST_BYTES)


def _path(words: Sequence[str]) -> str | None:
    """Return the file's path: that of the option, else beside the program."""
    rest = iter(words[1:])
    for word in rest:
        if word == _OPTION:
            return next(rest, None)
        if word.endswith(".dll"):
            return str(PurePath(word).with_suffix("")) + _ENDING
    is_host = PurePath(words[0]).name == "dotnet"
    return None if is_host else f"{PurePath(words[0])}{_ENDING}"


def _said(number: str, name: str = _SIZE) -> str:
    return f"{name} {number}"
