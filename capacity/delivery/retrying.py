"""Tries again what did not get through, for as long as that may take and no longer."""

import time
from collections.abc import Callable
from typing import TypeVar

from capacity.domain.errors import NotDeliveredError

T = TypeVar("T")
DEADLINE_S = 60.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 15.0


def retried(
    call: Callable[[], T],
    *,
    deadline_s: float = DEADLINE_S,
    first_pause_s: float = FIRST_PAUSE_S,
    clock_s: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> T:
    """Return what *call* returns; after a NotDeliveredError call again, until *deadline_s* are over.

    Pauses double. The last try is the one that no pause fits behind; its error is raised, with the
    number of tries.
    """
    end_s = clock_s() + deadline_s
    pause_s = first_pause_s
    tries = 0
    while True:
        tries += 1
        try:
            return call()
        except NotDeliveredError as error:
            if clock_s() + pause_s >= end_s:
                times = f"{tries} tries" if tries > 1 else "one try"
                raise NotDeliveredError(f"{error}; given up after {times}") from None
        sleep(pause_s)
        pause_s = min(2.0 * pause_s, LONGEST_PAUSE_S)
