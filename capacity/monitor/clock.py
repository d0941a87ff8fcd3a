"""The agent's clock: the host's when the agent started, and steady from then on.

Samples are laid to the steps of a run by their time, with an offset that was measured once. A clock
that is set while the run goes on must not tear the samples off; so what it was set by is told, and
not followed. CLOCK_BOOTTIME goes on while the host sleeps; both are slewed alike (clock_gettime(2)).
"""

import time

_NOTICED_S = 0.1


class SteadyClock:
    """Epoch seconds that neither jump nor go back."""

    def __init__(self) -> None:
        self._ahead_s = time.time() - _since_boot_s()

    def now(self) -> float:
        return _since_boot_s() + self._ahead_s

    def stepped_s(self) -> float | None:
        """Return how far the host's clock was set since the agent started; None if it was not."""
        stepped_s = time.time() - self.now()
        return stepped_s if abs(stepped_s) > _NOTICED_S else None


def _since_boot_s() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)
