"""What a HotSpot JVM says of its own heap in /tmp/hsperfdata_USER/PID, a file that it maps.

Format 2.0 of the JDK's jvmstat (PerfDataPrologue and PerfDataEntry, hotspot perfMemory.hpp): a
prologue of 32 bytes, then entries of a header, a name and a value. Only the sizes in use of the
spaces of the heap are looked for; nothing else in there is kept. The file is the target's own, so
that nothing in it is believed without a check of its bounds.
"""

import os
import re
import stat
import struct
from collections.abc import Iterator
from pathlib import Path

MOST_BYTES = 1 << 20
"""A JVM takes 32 KiB (-XX:PerfDataMemorySize)."""
_MAGIC = b"\xca\xfe\xc0\xc0"
_PROLOGUE, _ENTRY = "4xBBBBiiqii", "iiibbbbi"
_HEADER_BYTES = struct.calcsize(f"<{_ENTRY}")
_USED = re.compile(rb"sun\.gc\.generation\.\d+\.space\.\d+\.used")
_LONG = ord("J")


def counters_file(pid: int, inner_pid: int, proc: str = "/proc") -> str | None:
    """Return the file of the JVM *pid*, which has *inner_pid* in its own namespace; None: none.

    There is none with -XX:-UsePerfData or +PerfDisableSharedMem, or where /tmp is another's.
    """
    found = Path(f"{proc}/{pid}/root/tmp").glob(f"hsperfdata_*/{inner_pid}")
    return next(map(str, found), None)


def heap_used_bytes(path: str) -> int:
    """Return what is in use in all spaces of the heap, garbage included.

    OSError where *path* cannot be read, ValueError where it is not in the documented format.
    """
    content = _content(path)
    sizes = list(_used_sizes(content))
    if not sizes:
        raise ValueError(f"{path} has no size of a space of the heap")
    return sum(sizes)


def _content(path: str) -> bytes:
    # The target may have put anything there: a link is not followed, a pipe not waited for.
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ValueError(f"{path} is no regular file")
        return os.read(descriptor, MOST_BYTES)
    finally:
        os.close(descriptor)


def _used_sizes(content: bytes) -> Iterator[int]:
    if len(content) < struct.calcsize(f"<{_PROLOGUE}") or not content.startswith(_MAGIC):
        raise ValueError("hsperfdata begins with cafec0c0 and has a prologue of 32 bytes")
    order = "<" if content[4] else ">"
    _, major, _, accessible, used, _, _, at, entries = struct.unpack_from(
        f"{order}{_PROLOGUE}", content
    )
    if major != 2 or not accessible:
        raise ValueError(f"hsperfdata is version {major} (2 is documented) or not ready to be read")
    end = min(used, len(content))
    for _ in range(entries):
        if not 0 <= at <= end - _HEADER_BYTES:
            raise ValueError("an entry of hsperfdata begins beyond its end")
        length, name_at, vector, kind, _, _, _, value_at = struct.unpack_from(
            f"{order}{_ENTRY}", content, at
        )
        if not (_HEADER_BYTES <= length <= end - at and 0 <= name_at <= length):
            raise ValueError("an entry of hsperfdata reaches beyond its end")
        if kind == _LONG and vector == 0:
            name = content[at + name_at : at + length].partition(b"\0")[0]
            if _USED.fullmatch(name):
                if not 0 <= value_at <= length - 8:
                    raise ValueError("a value of hsperfdata lies outside of its entry")
                (size,) = struct.unpack_from(f"{order}q", content, at + value_at)
                if size < 0:
                    raise ValueError("a space of the heap has a negative size")
                yield size
        at += length
