import gevent
from gevent import monkey

from capacity.loadgen.master.control_interval import await_interval


def test_a_process_that_runs_has_not_stood_still():
    assert 0.0 == await_interval()


def test_a_process_that_is_held_up_says_for_how_long():
    waiting = gevent.spawn(await_interval)
    gevent.sleep(0.01)
    monkey.get_original("time", "sleep")(1.4)

    assert 1.2 < waiting.get() < 1.4
