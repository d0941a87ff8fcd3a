from types import SimpleNamespace

import gevent
import pytest
from gevent import monkey

from capacity.loadgen.master import control_interval as module
from capacity.loadgen.master.control_interval import await_interval


def test_a_process_that_runs_has_not_stood_still():
    assert 0.0 == await_interval()


def test_a_process_that_is_held_up_says_for_how_long():
    waiting = gevent.spawn(await_interval)
    gevent.sleep(0.01)
    monkey.get_original("time", "sleep")(1.4)

    assert 1.2 < waiting.get() < 1.4


@pytest.mark.parametrize(("late_s", "stood_still_s"), [(0.99, 0.0), (1.01, 1.01)])
def test_what_is_late_by_more_than_a_second_stood_still(monkeypatch, late_s, stood_still_s):
    times = iter([50.0, 50.0 + 0.1 + late_s])
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: next(times)))
    slept = []
    monkeypatch.setattr(module, "gevent", SimpleNamespace(sleep=slept.append))

    assert pytest.approx(stood_still_s) == await_interval()
    assert [0.1] == slept
