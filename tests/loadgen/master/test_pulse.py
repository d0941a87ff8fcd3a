import gevent
from gevent import monkey

from capacity.loadgen.master.pulse import beat


def test_a_process_that_runs_has_not_stood_still():
    assert 0.0 == beat()


def test_a_process_that_is_held_up_says_for_how_long():
    beating = gevent.spawn(beat)
    gevent.sleep(0.01)
    monkey.get_original("time", "sleep")(1.4)

    assert 1.2 < beating.get() < 1.4
