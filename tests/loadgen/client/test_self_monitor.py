import os
import time
from types import SimpleNamespace

import gevent
import pytest

from capacity.loadgen.client import self_monitor
from capacity.loadgen.client.self_monitor import ClockWatch, SelfMonitor, descriptors_ratio
from capacity.loadgen.wire.process_limits import descriptor_limit


def test_a_blocked_loop_shows_as_lag():
    lag_us = []
    probe = SelfMonitor(lag_us.append)
    gevent.sleep(0.01)
    end_s = time.perf_counter() + 0.3
    while time.perf_counter() < end_s:
        pass
    gevent.sleep(0.1)
    probe.stop()

    assert max(lag_us) > 200_000


@pytest.mark.alone
def test_cpu_is_counted_in_cores():
    probe = SelfMonitor(lambda _late_us: None)
    end_s = time.process_time() + 0.2
    while time.process_time() < end_s:
        pass
    busy = probe.cpu_ratio()
    gevent.sleep(0.3)
    idle = probe.cpu_ratio()
    probe.stop()

    assert 1.5 > busy > 5 * idle


def test_descriptors_are_those_of_this_process():
    before = descriptors_ratio()
    files = [os.open(os.devnull, os.O_RDONLY) for _ in range(50)]
    after = descriptors_ratio()
    for file in files:
        os.close(file)

    assert 50 == round((after - before) * descriptor_limit())


def test_a_clock_that_is_set_is_told_once(monkeypatch):
    watch = ClockWatch()
    before_s = watch.set_s()
    ahead = time.time
    monkeypatch.setattr(time, "time", lambda: ahead() + 3600.0)

    assert pytest.approx(0.0, abs=0.05) == before_s
    assert [pytest.approx(3600.0, abs=0.05), pytest.approx(0.0, abs=0.05)] == [
        watch.set_s(),
        watch.set_s(),
    ]


def test_a_process_that_is_stopped_between_two_clocks_takes_neither_for_set(monkeypatch):
    watch = ClockWatch()
    wall, stops = time.time, iter([True])

    def interrupted():
        now_s = wall()
        if next(stops, False):
            time.sleep(0.2)
        return now_s

    monkeypatch.setattr(time, "time", interrupted)

    assert pytest.approx(0.0, abs=0.05) == watch.set_s()


@pytest.mark.parametrize(
    ("took_s", "readings"), [((0.0009,), 1), ((0.0011, 0.0009), 2), ((0.002,) * 5, 5)]
)
def test_both_clocks_are_read_again_until_they_are_read_at_one_moment(
    monkeypatch, took_s, readings
):
    """The wall is ahead by 5 s, and by 1 s more where a reading was slow."""
    moments = [moment for took in took_s for moment in (100.0, 100.0 + took)]
    walls = [
        105.0 + took / 2 + (1.0 if took > 0.001 and n else 0.0) for n, took in enumerate(took_s)
    ]
    monotonic, wall = iter(moments), iter(walls)
    clocks = SimpleNamespace(monotonic=lambda: next(monotonic), time=lambda: next(wall))
    monkeypatch.setattr(self_monitor, "time", clocks)

    assert pytest.approx(5.0) == self_monitor._ahead_s()
    assert [] == list(monotonic)
    assert readings == len(took_s)


def test_no_timer_is_late_by_less_than_nothing(monkeypatch):
    """Three intervals: on time, late by 20 ms, and early by the clock's own error."""
    moments, lags = iter([10.0, 10.05, 20.0, 20.07, 30.0, 30.0499]), []
    monkeypatch.setattr(self_monitor, "time", SimpleNamespace(monotonic=lambda: next(moments)))
    slept = []
    monkeypatch.setattr(self_monitor, "gevent", SimpleNamespace(sleep=slept.append))
    probe = SelfMonitor.__new__(SelfMonitor)
    probe._on_lag = lags.append
    with pytest.raises(StopIteration):
        probe._watch_timer()

    assert [pytest.approx(0, abs=1), pytest.approx(20_000, abs=1), 0] == lags
    assert [0.05] * 3 == slept


def test_what_was_used_since_the_last_look_is_over_the_time_since_then(monkeypatch):
    """Half a core for 3 s, then two cores for a second."""
    used_s, at_s = iter([1.0, 2.5, 4.5]), iter([10.0, 13.0, 14.0])
    clocks = SimpleNamespace(process_time=lambda: next(used_s), monotonic=lambda: next(at_s))
    monkeypatch.setattr(self_monitor, "time", clocks)
    monkeypatch.setattr(self_monitor, "gevent", SimpleNamespace(spawn=lambda _: None))
    probe = SelfMonitor(lambda _late_us: None)

    assert pytest.approx([0.5, 2.0]) == [probe.cpu_ratio(), probe.cpu_ratio()]
