"""A page of memory over which the campaign tells a running process what to do from now on."""

import mmap
import struct
from pathlib import Path

_CLOCK, _MODE = struct.Struct("d"), struct.Struct("i")
_SIZE = 64


class Control:
    """`clock_s` is added to the time of day; `mode` is the hostile deed in force, 0 for none."""

    def __init__(self, path):
        if not Path(path).exists():
            Path(path).write_bytes(bytes(_SIZE))
        with Path(path).open("r+b") as file:
            self._page = mmap.mmap(file.fileno(), _SIZE)

    @property
    def clock_s(self):
        return _CLOCK.unpack_from(self._page, 0)[0]

    @clock_s.setter
    def clock_s(self, clock_s):
        _CLOCK.pack_into(self._page, 0, clock_s)

    @property
    def mode(self):
        return _MODE.unpack_from(self._page, 8)[0]

    @mode.setter
    def mode(self, mode):
        _MODE.pack_into(self._page, 8, mode)
