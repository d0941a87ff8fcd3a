"""Gives Locust's runners a time of day that nobody sets.

They reckon waits and the order of messages from `time.time`. Set back by an hour, the master's load
shape sleeps for an hour and workers drop every order to spawn as older than the last; set ahead, workers
give the master up for lost (Locust 2.47, runners.py: `shape_worker`, `worker`, `heartbeat_timeout_checker`).
"""

from locust import runners

import time
from typing import Any


class SteadyTime:
    """The module `time`, but for `time.time`: the time of day when it was made, and what has passed since."""

    def __init__(self) -> None:
        self._ahead_s = time.time() - time.monotonic()

    def time(self) -> float:
        """Return seconds since the epoch that only ever go on."""
        return time.monotonic() + self._ahead_s

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)


def keep_time_steady() -> None:
    """Have the runners of this process go by it from now on."""
    runners.time = SteadyTime()  # type: ignore[attr-defined,assignment] # as they import it
