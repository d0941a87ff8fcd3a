"""The agent's clock beside a host's clock that is set back and forth, by a shim of time.time."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.monitor import clock as clock_module
from capacity.monitor.clock import SteadyClock

SLEWED_S = 0.001
"""More than a clock is slewed within the test."""


def test_it_starts_as_the_hosts_clock_and_runs_as_fast():
    clock = SteadyClock()
    before_s, began_at = time.monotonic(), time.time()
    began = clock.now()
    after_s, ended_at = time.monotonic(), time.time()
    time.sleep(0.05)
    least_s = time.monotonic() - after_s
    ran_s = clock.now() - began
    most_s = time.monotonic() - before_s

    # However long each of these lines takes; both clocks are slewed by far less than a millisecond.
    assert began_at - SLEWED_S <= began <= ended_at + SLEWED_S
    assert least_s - SLEWED_S <= ran_s <= most_s + SLEWED_S
    assert clock.stepped_s() is None


@given(st.floats(-1e8, 1e8).filter(lambda step_s: abs(step_s) > 0.2))
def test_a_clock_that_is_set_is_told_and_not_followed(step_s):
    clock = SteadyClock()
    before = clock.now()
    real = time.time
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "time", lambda: real() + step_s)

        assert clock.stepped_s() == pytest.approx(step_s, abs=0.05)
        assert 0 <= clock.now() - before < 1


def test_a_clock_that_is_set_right_again_is_no_matter_any_more(monkeypatch):
    clock = SteadyClock()
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() - 3600)
    stepped_s = clock.stepped_s()
    monkeypatch.undo()

    assert (stepped_s is None, clock.stepped_s()) == (False, None)


@pytest.mark.parametrize(
    ("set_s", "told_s"),
    [(0.1, None), (0.101, 0.101), (-0.1, None), (-0.101, -0.101)],
)
def test_a_clock_is_told_to_be_set_beyond_a_tenth_of_a_second(monkeypatch, set_s, told_s):
    monkeypatch.setattr(clock_module, "_since_boot_s", lambda: 0.0)
    monkeypatch.setattr(time, "time", lambda: 0.0)
    clock = SteadyClock()
    monkeypatch.setattr(time, "time", lambda: set_s)

    assert told_s == clock.stepped_s()
