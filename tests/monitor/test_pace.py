"""When a reading is due, by the price of the one before."""

import time
from types import SimpleNamespace

import pytest

from capacity.monitor import pace as module
from capacity.monitor.pace import Pace


def spend(seconds):
    end_s = time.thread_time() + seconds
    while time.thread_time() < end_s:
        pass


def spend_in_vain(seconds):
    spend(seconds)
    raise PermissionError


def test_the_first_reading_is_due_at_once():
    assert Pace(60.0, 1.0).is_due


def test_a_cheap_reading_comes_back_after_its_time():
    pace = Pace(0.3, 1.0)
    with pace.reading():
        pass
    at_once = pace.is_due
    time.sleep(0.3)

    assert (at_once, pace.is_due, pace.interval_s) == (False, True, 0.3)


def test_a_dear_reading_never_takes_more_than_its_share():
    pace = Pace(0.01, 0.001)
    with pace.reading():
        spend(0.02)

    assert pace.interval_s == pytest.approx(20.0, rel=0.5)
    assert not pace.is_due


def test_a_reading_that_fails_is_paid_for_as_well():
    pace = Pace(0.01, 0.001)
    with pytest.raises(PermissionError), pace.reading():
        spend_in_vain(0.02)

    assert pace.interval_s > 10
    assert not pace.is_due


def test_a_reading_that_fails_cheaply_is_tried_with_the_next_sample():
    pace = Pace(60.0, 0.1)
    with pytest.raises(PermissionError), pace.reading():
        spend_in_vain(0.0)

    assert pace.is_due


def test_waiting_costs_nothing():
    pace = Pace(0.01, 0.001)
    with pace.reading():
        time.sleep(0.05)

    assert pace.interval_s < 5


@pytest.mark.parametrize(
    ("passed_s", "cost_s", "is_due"),
    [(9.94, 0.0, False), (9.96, 0.0, True), (19.9, 0.02, False), (20.0, 0.02, True)],
)
def test_a_sample_that_comes_a_twentieth_of_a_second_early_takes_the_reading(
    monkeypatch, passed_s, cost_s, is_due
):
    clock = SimpleNamespace(now_s=100.0, used_s=5.0)
    clocks = SimpleNamespace(monotonic=lambda: clock.now_s, thread_time=lambda: clock.used_s)
    monkeypatch.setattr(module, "time", clocks)
    pace = Pace(10.0, 0.001)
    with pace.reading():
        clock.used_s += cost_s
    clock.now_s += passed_s

    assert max(10.0, cost_s / 0.001) == pytest.approx(pace.interval_s)
    assert is_due is pace.is_due
