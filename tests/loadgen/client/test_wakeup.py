"""Greenlets that sleep until a wakeup rings."""

import time

import gevent

from capacity.loadgen.client.wakeup import Wakeup


def test_the_bell_wakes_all_who_wait():
    wakeup = Wakeup()
    waiting = [gevent.spawn(wakeup.wait, 5) for _ in range(3)]
    gevent.sleep(0)
    wakeup.ring()
    gevent.joinall(waiting, timeout=1)

    assert [True] * 3 == [greenlet.value for greenlet in waiting]


def test_without_it_a_wait_lasts_its_time():
    before, after = gevent.spawn_later(0.05, int), gevent.spawn_later(5, int)
    rang = Wakeup().wait(0.1)

    assert not rang
    assert (True, False) == (before.ready(), after.ready())
    after.kill()


def test_who_waits_again_is_not_woken_by_the_ring_before():
    wakeup = Wakeup()

    def wait_twice():
        return wakeup.wait(5), wakeup.wait(0.05)

    waiting = gevent.spawn(wait_twice)
    gevent.sleep(0)
    wakeup.ring()

    assert (True, False) == waiting.get(timeout=1)


def test_a_ring_at_the_very_end_of_a_wait_disturbs_nothing_later():
    wakeup = Wakeup()
    results = []

    def wait_and_sleep():
        results.append(wakeup.wait(0.01))
        meanwhile = gevent.spawn_later(0.05, int)
        gevent.sleep(0.1)
        results.append(meanwhile.ready())

    waiting = gevent.spawn(wait_and_sleep)
    gevent.sleep(0)
    time.sleep(0.02)  # Its time is over, but the loop has not seen it yet.
    wakeup.ring()
    waiting.join(timeout=5)

    assert results[1]


def test_a_greenlet_that_is_killed_waits_no_longer():
    wakeup = Wakeup()
    waiting = gevent.spawn(wakeup.wait, 5)
    gevent.sleep(0)
    waiting.kill()
    wakeup.ring()

    assert not wakeup._waiters
