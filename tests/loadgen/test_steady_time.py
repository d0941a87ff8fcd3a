from locust import runners

import time
from types import SimpleNamespace

import gevent
import pytest

from capacity.loadgen.steady_time import SteadyTime, keep_time_steady

HOUR_S = 3600.0


@pytest.fixture(name="steady")
def fixture_steady(monkeypatch):
    """Have Locust's runners go by a steady time, and return what sets the clock of this process."""
    monkeypatch.setattr(runners, "time", time)
    real_s, step = time.time, [0.0]
    monkeypatch.setattr(time, "time", lambda: real_s() + step[0])
    keep_time_steady()

    def set_clock(by_s):
        step[0] += by_s

    return set_clock


@pytest.mark.parametrize("step_s", [-HOUR_S, HOUR_S])
def test_the_time_goes_on_when_the_clock_is_set(steady, step_s):
    began_s, steadily = time.monotonic(), SteadyTime()
    before = steadily.time()
    assert abs(before - time.time()) < HOUR_S

    steady(step_s)

    assert 0.0 <= steadily.time() - before <= time.monotonic() - began_s


def test_all_else_is_as_in_the_module():
    assert SteadyTime().perf_counter is time.perf_counter


def test_a_load_shape_does_not_sleep_for_an_hour_when_the_clock_is_set_back(steady):
    """Locust's own loop, with a shape that sets the clock in its first tick and ends in its second."""
    ticks = []

    def tick():
        ticks.append(time.monotonic())
        steady(-HOUR_S)
        return (1, 1) if len(ticks) == 1 else None

    ended = []
    runner = SimpleNamespace(
        state=runners.STATE_RUNNING,
        environment=SimpleNamespace(
            shape_class=SimpleNamespace(tick=tick), parsed_options=SimpleNamespace(headless=True)
        ),
        shape_last_tick=None,
        start=lambda **_: None,
        quit=lambda: ended.append(True),
    )
    with gevent.Timeout(60.0):
        runners.Runner.shape_worker(runner)

    assert len(ticks) == 2
    assert ended
