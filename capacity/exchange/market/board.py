"""Where the processes of one exchange post what they count, so that each can say the sum."""

import mmap
from dataclasses import fields

from capacity.exchange.counters import Counters

_NAMES = [field.name for field in fields(Counters)]


class Board:
    """One row for each process, in memory that children share; made before they are forked."""

    def __init__(self, processes: int) -> None:
        self._cells = memoryview(mmap.mmap(-1, processes * len(_NAMES) * 8)).cast("d")

    def post(self, process: int, counters: Counters) -> None:
        """Write the row of the process with this number, from 0."""
        for column, name in enumerate(_NAMES, start=process * len(_NAMES)):
            self._cells[column] = getattr(counters, name)

    def total(self) -> Counters:
        """Return the sum of what was last posted."""
        total = Counters()
        for column, name in enumerate(_NAMES):
            whole = type(getattr(total, name))
            setattr(total, name, whole(sum(self._cells[column :: len(_NAMES)])))
        return total
