"""Spreads arrivals evenly: Locust spawns a second's users in one burst."""

import time

import gevent


class Turnstile:
    """Lets one connect attempt through every 1 / rate seconds, first come, first served."""

    def __init__(self) -> None:
        self.per_s = 100.0
        self._next_s = 0.0

    def hold(self, seconds: float) -> None:
        """Let nobody through for that long."""
        self._next_s = max(self._next_s, time.monotonic() + seconds)

    def wait(self) -> None:
        now_s = time.monotonic()
        slot_s = max(now_s, self._next_s)
        self._next_s = slot_s + 1 / self.per_s
        gevent.sleep(slot_s - now_s)
