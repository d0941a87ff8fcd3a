"""Which runtime a process has, that may put a cap on its own heap.

It is known by the name of its program; a program of Go by a section that the linker writes.
"""

import os
import re
import struct
from collections.abc import Sequence
from contextlib import suppress
from enum import StrEnum
from pathlib import PurePath


class Runtime(StrEnum):
    """Who allots the heap."""

    JVM = "JVM"
    NODE = "node"
    GO = "Go"
    NET = ".NET"
    DENO = "Deno"
    PHP = "PHP"
    BEAM = "Erlang"
    """Has no cap of its own; RabbitMQ has one on all that is resident, compiled code included."""
    OTHER = "other"
    """None that is known to have a cap."""


_PROGRAMS = {
    "java": Runtime.JVM,
    "node": Runtime.NODE,
    "nodejs": Runtime.NODE,
    "dotnet": Runtime.NET,
    "deno": Runtime.DENO,
    "beam.smp": Runtime.BEAM,
    "beam": Runtime.BEAM,
}
_PHP = re.compile(r"php(-cli|-zts)?[0-9.]*")
"""php, php8.2 of Debian, php83 of Alpine; php-fpm has pools with settings of their own."""
_ELF64_LITTLE = b"\x7fELF\x02\x01"
_GO_SECTION = b".go.buildinfo\0"
_MOST_NAMES_BYTES = 1 << 16


def runtime_of(pid: int, words: Sequence[str], proc: str = "/proc") -> Runtime:
    """Return the runtime that the names of a process's program tell; *words* are its command line."""
    names = [words[0]]
    with suppress(OSError):  # Not ours to look at; most programs leave their first word alone.
        names.append(program_path(pid, proc))
    found = (_named(PurePath(name).name) for name in names)
    return next(filter(None, found), Runtime.OTHER)


def program_path(pid: int, proc: str = "/proc") -> str:
    """Return the path of the program that a process runs, as it sees it."""
    return os.readlink(f"{proc}/{pid}/exe").removesuffix(" (deleted)")  # noqa: PTH115 - as in discovery


def _named(program: str) -> Runtime | None:
    if _PHP.fullmatch(program):
        return Runtime.PHP
    return _PROGRAMS.get(program)


def is_go(path: str) -> bool:
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
