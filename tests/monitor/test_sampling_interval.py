"""The fixed interval, what it skips, and how it stretches for readings that are too dear."""

import threading
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.monitor.host.discovery import Selector
from capacity.monitor.host.target import Target
from capacity.monitor.notes import Notes
from capacity.monitor.sampler import Sampler
from capacity.monitor.sampling_interval import SamplingInterval, sample_at_intervals

BUDGET_RATIO = 0.05
MOST_STRETCHED = 30


class Watch:
    """Sampler, clock and stop in one: time passes while it waits and while it reads."""

    def __init__(self, *, takes_s, spends_s, samples):
        self.now_s = self.spent_s = 0.0
        self.kept_s = []
        self._takes_s = takes_s
        self._spends_s = spends_s
        self._samples = samples

    def wait(self, seconds):
        self.now_s += seconds
        return len(self.kept_s) == self._samples

    def sample(self):
        self.now_s += self._takes_s.get(len(self.kept_s) + 1, 0.0)
        self.spent_s += self._spends_s
        return self.now_s

    def sampled_at(self, interval):
        """Return when each sample was there."""
        sample_at_intervals(
            self,
            interval,
            self.kept_s.append,
            self,
            clock_s=lambda: self.now_s,
            spent_s=lambda: self.spent_s,
        )
        return self.kept_s


def test_samples_keep_their_time_and_those_that_were_missed_are_skipped():
    kept_s = Watch(takes_s={2: 0.25}, spends_s=0.0, samples=5).sampled_at(
        SamplingInterval(0.1, Notes())
    )

    # The second, due at 0.2, is done at 0.45: those at 0.3 and 0.4 are skipped.
    assert kept_s == pytest.approx([0.1, 0.45, 0.5, 0.6, 0.7])


def test_what_is_too_dear_for_the_interval_is_read_more_rarely_and_that_is_said():
    notes = Notes()
    # Ten milliseconds of processor time: twice the budget of an interval of a tenth.
    kept_s = Watch(takes_s={}, spends_s=0.01, samples=13).sampled_at(SamplingInterval(0.1, notes))
    intervals_s = [after - before for before, after in pairwise([0.0, *kept_s])]

    assert intervals_s == pytest.approx([0.1] * 10 + [0.3] * 3)
    assert "samples every 0.3 s instead of 0.1 s: one takes 10 ms" in notes.sentences[0]
    assert "the budget is 5% of a core" in notes.sentences[0]


def test_by_the_clock_it_samples_until_it_is_stopped(bystander):
    target = Target(Selector(pid=bystander.pid))
    target.resolve()
    stop, kept = threading.Event(), []

    def keep(sample):
        kept.append(sample)
        if len(kept) == 3:
            stop.set()

    sample_at_intervals(Sampler(target, [], []), SamplingInterval(0.05, Notes()), keep, stop)

    assert [1, 2, 3] == [sample.seq for sample in kept]
    assert all(sample.interval_s > 0 for sample in kept)


def settled(costs_s, interval_s=1.0):
    notes = Notes()
    interval = SamplingInterval(interval_s, notes)
    for cost_s in costs_s:
        interval.spend(cost_s)
    return interval.interval_s, notes.sentences


@given(st.floats(0, 1.0), st.sampled_from([0.1, 1.0, 10.0]))
def test_the_agent_keeps_to_its_budget_as_far_as_the_interval_stretches(cost_s, interval_s):
    settled_s, notes = settled([cost_s] * 10, interval_s)

    assert interval_s <= settled_s <= interval_s * MOST_STRETCHED
    assert cost_s / settled_s <= BUDGET_RATIO or settled_s == interval_s * MOST_STRETCHED
    assert bool(notes) == (settled_s > interval_s)


def test_when_readings_are_cheap_again_the_interval_is_the_old_one():
    assert settled([0.2] * 10)[0] == 5.0
    assert settled([*[0.2] * 10, *[0.001] * 10]) == (1.0, ())


def test_a_cost_near_the_budget_does_not_come_and_go():
    notes = Notes()
    interval = SamplingInterval(1.0, notes)
    intervals_s = set()
    for number in range(400):
        interval.spend(0.051 if number // 10 % 2 else 0.049)
        intervals_s.add((number > 40, interval.interval_s))

    assert {interval_s for is_late, interval_s in intervals_s if is_late} == {2.0}


def test_a_single_dear_reading_changes_nothing():
    assert settled([0.3, *[0.001] * 30]) == (1.0, ())


@pytest.mark.parametrize(
    ("costs_s", "interval_s"),
    [
        ([0.2] * 9, 1.0),
        ([0.2] * 10, 5.0),
        ([0.05] * 10, 1.0),
        ([0.051] * 10, 2.0),
        ([0.04] * 10, 1.0),
        ([*[0.2] * 10, *[0.25] * 10], 5.0),
        ([*[0.2] * 10, *[0.26] * 10], 7.0),
        ([*[0.2] * 10, *[0.16] * 10], 4.0),
        ([*[0.2] * 10, *[0.17] * 10], 5.0),
        ([1.2] * 10, 29.0),
        ([1.3] * 10, 30.0),
        ([5.0] * 10, 30.0),
    ],
)
def test_the_interval_has_room_for_a_fifth_more_than_ten_samples_took(costs_s, interval_s):
    """A twentieth of a core: 0.2 s take 4 s, and 5 of them with the room."""
    assert interval_s == settled(costs_s)[0]
