"""Time and greenlets of a simulation: nothing runs but when its moment has come, in an order by chance.

Stands in for gevent and for the clock. What gevent promises is kept: code between two waits is never
interrupted, what was spawned first begins first, who is killed ends at its wait. What gevent leaves
open is decided by the seed: which of two timers of one moment comes first.
"""

import heapq
import itertools
from types import SimpleNamespace

import greenlet

EPOCH = 1_790_000_000.0


class StuckError(Exception):
    """The simulated time is over, and what was waited for has not come."""


class Process:
    """One process on one host: while it is stopped, none of its greenlets moves."""

    def __init__(self, name):
        self.name = name
        self.awake_at_s = 0.0
        self.is_dead = False


class Task(greenlet.greenlet):
    """A greenlet of gevent's, as far as the product uses one."""

    def __init__(self, clock, process, function, arguments):
        super().__init__(self._work, parent=clock.hub)
        self._clock, self.process = clock, process
        self._call = (function, arguments)
        self._waiters, self._links = [], []
        self.exception, self.value = None, None
        self.is_over, self._has_begun = False, False
        self._token = None
        """Of the wait that it is in: what wakes it from another one comes too late."""

    def _work(self):
        self._has_begun = True
        function, arguments = self._call
        try:
            self.value = function(*arguments)
        except greenlet.GreenletExit as ending:
            self.value = ending
        except StuckError:
            raise
        except BaseException as problem:  # noqa: BLE001 - as gevent keeps it for who has linked
            self.exception = problem
        self._end()

    def _end(self):
        self.is_over = True
        for waiter, token in self._waiters:
            self._clock.soon(waiter.process, waiter.wake, token)
        if self.exception is not None:
            self._clock.note_crash(self)
            for link in self._links:
                self._clock.spawn_in(self.process, link, self)

    def wake(self, token, ending=None):
        if self.is_over or token is not self._token:
            return
        self._token = None
        if ending is None:
            self.switch()
        else:
            self.throw(ending)

    def link_exception(self, callback):
        self._links.append(callback)
        if self.is_over and self.exception is not None:
            self._clock.spawn_in(self.process, callback, self)

    def kill(self, block=True):  # noqa: FBT002 - as gevent's  # noqa: FBT002 - as gevent has it
        if not self.is_over:
            self._clock.soon(self.process, self._kill)
            if block:
                self.join()

    def _kill(self):
        if self.is_over:
            return
        if not self._has_begun:
            self._end()
        elif self._token is not None:
            self.wake(self._token, greenlet.GreenletExit)

    def join(self):
        if not self.is_over:
            current = greenlet.getcurrent()
            token = object()
            self._waiters.append((current, token))
            self._clock.wait(token)


class Clock:
    def __init__(self, chance):
        self.chance = chance
        self.hub = greenlet.getcurrent()
        self.now_s = 0.0
        self.stepped_s = 0.0
        """What the clock on the wall was set by, since the beginning."""
        self.crashes = []
        self._due = []
        self._numbers = itertools.count()

    # What the product sees.

    def monotonic(self):
        return self.now_s

    def wall(self):
        return EPOCH + self.now_s + self.stepped_s

    def time_module(self):
        return SimpleNamespace(
            monotonic=self.monotonic, time=self.wall, perf_counter=self.monotonic
        )

    def gevent_module(self):
        return SimpleNamespace(
            sleep=self.sleep, spawn=self.spawn, killall=self.killall, Greenlet=Task
        )

    def sleep(self, seconds=0.0):
        task = greenlet.getcurrent()
        token = object()
        self.at(self.now_s + max(0.0, seconds), task.process, task.wake, token)
        self.wait(token)

    def spawn(self, function, *arguments):
        return self.spawn_in(greenlet.getcurrent().process, function, *arguments)

    def killall(self, tasks, block=True):  # noqa: FBT002 - as gevent's
        for task in tasks:
            task.kill(block=False)
        if block:
            for task in tasks:
                task.join()

    # What the simulation says.

    def spawn_in(self, process, function, *arguments):
        task = Task(self, process, function, arguments)
        self.soon(process, self._begin, task)
        return task

    def soon(self, process, function, *arguments):
        """Call *function* in this moment, in the order of the calls."""
        self._push(self.now_s, 0.0, process, function, arguments)

    def at(self, at_s, process, function, *arguments):
        self._push(at_s, 1.0 + self.chance.random(), process, function, arguments)

    def wait(self, token):
        task = greenlet.getcurrent()
        task._token = token
        self.hub.switch()

    def note_crash(self, task):
        self.crashes.append(task.exception)

    def run(self, until, longest_s):
        """Let time pass until *until* is true. Raises StuckError when that takes too long."""
        while not until():
            if not self._is_due_by(longest_s):
                raise StuckError(f"nothing more is due at {self.now_s:.1f} s")
            self._do_next()

    def let_pass(self, until_s):
        """Let time pass until then, whether anything is due or not."""
        while self._is_due_by(until_s):
            self._do_next()
        self.now_s = max(self.now_s, until_s)

    def _is_due_by(self, at_s):
        return bool(self._due) and self._due[0][0] <= at_s

    def _do_next(self):
        at_s, _rank, _number, process, function, arguments = heapq.heappop(self._due)
        if process is not None:
            if process.is_dead:
                return
            if process.awake_at_s > at_s:
                # In the order in which it was due.
                self._push(process.awake_at_s, 0.5, process, function, arguments)
                return
        self.now_s = max(self.now_s, at_s)
        function(*arguments)

    def _begin(self, task):
        if not task.is_over:
            task.switch()

    def _push(self, at_s, rank, process, function, arguments):
        heapq.heappush(self._due, (at_s, rank, next(self._numbers), process, function, arguments))
