"""Standard streams as they may be found: closed by who started us, or in a charset without our characters."""

import contextlib
import errno
import io
import os
import sys
from collections.abc import Iterator

from capacity.domain.errors import PreflightError

_STANDARD = range(3)
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT}


def prepare() -> None:
    """Have all three streams, and say in escapes what a terminal of another charset cannot show.

    A number that is free would go to the next file or socket, and what is printed into it.
    """
    number = os.open(os.devnull, os.O_RDWR)
    while number in _STANDARD:
        number = os.dup(number)
    os.close(number)
    for name, number in (("stdout", 1), ("stderr", 2)):
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, "w", encoding="utf-8", closefd=False))  # noqa: SIM115
        elif isinstance(stream := getattr(sys, name), io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


@contextlib.contextmanager
def no_room_told() -> Iterator[None]:
    """End the process with one sentence where there is no room for what it writes."""
    try:
        yield
        sys.stdout.flush()
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        where = "" if error.filename is None else f" {error.filename!r}"
        with contextlib.suppress(OSError):
            # What is still to be printed goes nowhere, and the end of the process says no more of it.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        with contextlib.suppress(OSError):
            sys.stderr.write(f"capacity: cannot write{where}: {error.strerror}; make room there\n")
        sys.exit(PreflightError.exit_code)
