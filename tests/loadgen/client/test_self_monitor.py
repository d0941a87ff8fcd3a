import os
import time

import gevent
import pytest

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
