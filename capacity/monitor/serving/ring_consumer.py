"""Whoever takes the samples of a ring elsewhere, from a thread of its own, until the agent ends."""

import threading
from abc import ABC, abstractmethod

from capacity.monitor.serving.store import SampleRing


class RingConsumer(ABC):
    """Begins with `start`, and goes on until `stop` lets it take along what is there yet."""

    def __init__(self, ring: SampleRing, name: str) -> None:
        self._ring = ring
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._consume, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, within_s: float) -> None:
        """End; what is there yet is taken along if that takes no longer than *within_s*."""
        self._stop.set()
        self._ring.wake()
        self._thread.join(within_s)

    @abstractmethod
    def _consume(self) -> None:
        """Take samples from the ring until *_stop* is set, and then once more."""
