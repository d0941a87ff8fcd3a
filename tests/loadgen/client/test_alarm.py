"""Greenlets wake at their moment and never before it."""

import select
import time

import gevent
import pytest

from capacity.loadgen.client.alarm import Alarm

PATIENCE_S = 30.0


@pytest.fixture
def alarm():
    made = Alarm()
    yield made
    made.close()


def test_everyone_wakes_in_the_order_of_their_moments_and_not_before(alarm):
    now_s = time.monotonic()
    woken = []

    def sleep(after_s):
        alarm.sleep_until(now_s + after_s)
        woken.append((after_s, time.monotonic() - now_s))

    with gevent.Timeout(PATIENCE_S):
        gevent.joinall([gevent.spawn(sleep, after_s) for after_s in (0.03, 0.01, -1.0, 0.02)])

    assert [after_s for after_s, _at_s in woken] == [-1.0, 0.01, 0.02, 0.03]
    assert all(at_s >= after_s for after_s, at_s in woken)


def test_one_that_was_killed_keeps_nobody_from_waking(alarm):
    now_s = time.monotonic()
    due_s = now_s + 0.02
    killed = gevent.spawn(alarm.sleep_until, now_s + 0.01)
    gevent.sleep(0)
    killed.kill()
    with gevent.Timeout(PATIENCE_S):
        alarm.sleep_until(due_s)

    assert time.monotonic() >= due_s


def test_an_alarm_that_is_closed_wakes_whoever_sleeps(alarm):
    sleeper = gevent.spawn(alarm.sleep_until, time.monotonic() + 1000.0)
    gevent.sleep(0)
    alarm.close()
    with gevent.Timeout(PATIENCE_S):
        sleeper.join()

    assert sleeper.successful()


def test_it_can_be_set_again_after_it_rang(alarm):
    with gevent.Timeout(PATIENCE_S):
        for _ in range(3):
            due_s = time.monotonic() + 0.001
            alarm.sleep_until(due_s)

            assert time.monotonic() >= due_s


def test_it_rings_once(alarm):
    with gevent.Timeout(PATIENCE_S):
        alarm.sleep_until(time.monotonic() + 0.001)
    gevent.sleep(0.01)
    ready, _, _ = select.select([alarm._fd], [], [], 0)

    assert [] == ready
