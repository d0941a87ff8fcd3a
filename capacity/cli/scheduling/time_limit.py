"""How a scheduled run ends before it is through: by a signal, or when the job's time is up."""

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType

from capacity.domain.errors import CapacityError, GuardError

GRACE_S = 60.0
"""What measuring gets beyond the job's time, to end its run in order, before it is cut off."""


class StoppedError(CapacityError):
    """A signal asked for the end; *exit_code* is the shell's for it, 128 + its number."""

    def __init__(self, exit_code: int) -> None:
        super().__init__(f"stopped by {signal.Signals(exit_code - 128).name}")
        self.exit_code = exit_code


@contextlib.contextmanager
def ending_in_time(max_duration_s: float) -> Iterator[None]:
    """Turn SIGTERM, SIGINT, SIGHUP and the end of the job's time into errors, so that all is tidied up."""

    def stop(number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGALRM:
            raise GuardError(f"stopped after {max_duration_s:.0f} s, the job's max_duration_s")
        raise StoppedError(128 + number)

    numbers = [signal.SIGTERM, signal.SIGINT, signal.SIGALRM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup
        numbers.append(signal.SIGHUP)
    before = [signal.signal(number, stop) for number in numbers]
    signal.setitimer(signal.ITIMER_REAL, max_duration_s + GRACE_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
