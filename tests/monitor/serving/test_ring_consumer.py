"""A thread that follows a ring of samples, and ends with what is there or without it."""

import runpy
import threading
from pathlib import Path

import pytest

from capacity.monitor.serving.ring_consumer import RingConsumer
from capacity.monitor.serving.store import SampleRing

sample_of = runpy.run_path(str(Path(__file__).parents[2] / "agent_samples.py"))["sample_of"]


class Follower(RingConsumer):
    """Takes samples along, each as soon as the way is free."""

    def __init__(self, ring):
        super().__init__(ring, "follower")
        self.taken, self.way = [], threading.Event()
        self.way.set()

    def _consume(self):
        is_last = False
        while not is_last:
            is_last = self._stop.is_set()
            self.way.wait()
            newest = self.taken[-1] if self.taken else 0
            self.taken += [seq for seq, _line in self._ring.since(newest)]
            if not is_last:
                self._ring.wait_beyond(max(self.taken, default=0), 600.0, self._stop)


@pytest.fixture
def follower():
    follower = Follower(SampleRing(10))
    yield follower
    follower.way.set()


def test_a_stop_wakes_who_waits_and_takes_along_what_is_there_yet(follower, seconds):
    follower.start()
    for seq in (1, 2, 3):
        follower._ring.add(sample_of(seq))
    follower.stop(seconds(60))

    assert ([1, 2, 3], False) == (follower.taken, follower._thread.is_alive())


def test_whose_way_is_blocked_is_not_waited_for_beyond_the_time_it_has(follower):
    follower.way.clear()
    follower.start()
    follower._ring.add(sample_of(1))
    follower.stop(0.01)

    assert ([], True) == (follower.taken, follower._thread.is_alive())
