"""The fixed beat, what it skips, and how it stretches for readings that are too dear."""

import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.monitor.beat import BUDGET_RATIO, MOST_STRETCHED, Beat, sample_on_beat
from capacity.monitor.collectors.base import HostCollector
from capacity.monitor.discovery import Selector
from capacity.monitor.notes import Notes
from capacity.monitor.readings import Reading
from capacity.monitor.sampler import Sampler
from capacity.monitor.target import Target


@pytest.fixture
def sampler_of(bystander):
    def make(host_collector):
        target = Target(Selector(pid=bystander.pid))
        target.resolve()
        return Sampler(target, [], [host_collector])

    return make


def kept_samples(sampler, beat, count):
    """Return the first samples, each with the number of the tenth of a second it came in."""
    kept, stop = [], threading.Event()
    began_s = time.monotonic()

    def keep(sample):
        kept.append((round((time.monotonic() - began_s) / 0.1), sample))
        if len(kept) == count:
            stop.set()

    sample_on_beat(sampler, beat, keep, stop)
    return kept


class Slow(HostCollector):
    """The second reading takes two and a half beats."""

    provides = ()

    def __init__(self):
        self.asked = 0

    def collect(self):
        self.asked += 1
        time.sleep(0.25 if self.asked == 2 else 0)
        return Reading()


def test_the_beat_keeps_its_time_and_skips_what_it_missed(sampler_of):
    kept = kept_samples(sampler_of(Slow()), Beat(0.1, Notes()), 4)
    beats = [beat for beat, _ in kept]

    # Read on beats 1 and 2; the second is done at 4.5; then 5 and 6.
    assert beats in ([1, 4, 5, 6], [1, 5, 5, 6])
    assert [sample.seq for _, sample in kept] == [1, 2, 3, 4]
    assert sum(sample.interval_s for _, sample in kept) == pytest.approx(0.6, abs=0.08)


class Dear(HostCollector):
    """Burns ten milliseconds of processor time: twice the budget of a beat of a tenth."""

    provides = ()

    def collect(self):
        began_s = time.thread_time()
        while time.thread_time() - began_s < 0.01:
            pass
        return Reading()


def test_what_is_too_dear_for_the_beat_is_read_more_rarely_and_that_is_said(sampler_of):
    notes = Notes()
    kept = kept_samples(sampler_of(Dear()), Beat(0.1, notes), 13)
    intervals_s = [sample.interval_s for _, sample in kept]

    assert intervals_s[5] == pytest.approx(0.1, abs=0.05)
    assert intervals_s[-1] >= 0.25
    assert "samples every 0." in notes.sentences[0]
    assert "instead of 0.1 s: one takes" in notes.sentences[0]
    assert "5% of a core is all that the agent takes" in notes.sentences[0]


def settled(costs_s, interval_s=1.0):
    notes = Notes()
    beat = Beat(interval_s, notes)
    for cost_s in costs_s:
        beat.spend(cost_s)
    return beat.interval_s, notes.sentences


@given(st.floats(0, 1.0), st.sampled_from([0.1, 1.0, 10.0]))
def test_the_agent_keeps_to_its_budget_as_far_as_the_beat_stretches(cost_s, interval_s):
    settled_s, notes = settled([cost_s] * 10, interval_s)

    assert interval_s <= settled_s <= interval_s * MOST_STRETCHED
    assert cost_s / settled_s <= BUDGET_RATIO or settled_s == interval_s * MOST_STRETCHED
    assert bool(notes) == (settled_s > interval_s)


def test_when_readings_are_cheap_again_the_beat_is_the_old_one():
    assert settled([0.2] * 10)[0] == 5.0
    assert settled([*[0.2] * 10, *[0.001] * 10]) == (1.0, ())


def test_a_cost_near_the_budget_does_not_come_and_go():
    notes = Notes()
    beat = Beat(1.0, notes)
    intervals_s = set()
    for number in range(400):
        beat.spend(0.051 if number // 10 % 2 else 0.049)
        intervals_s.add((number > 40, beat.interval_s))

    assert {interval_s for is_late, interval_s in intervals_s if is_late} == {2.0}


def test_a_single_dear_reading_changes_nothing():
    assert settled([0.3, *[0.001] * 30]) == (1.0, ())
