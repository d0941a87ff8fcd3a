import itertools
import random
import statistics
import time

import gevent
import pytest

from capacity.loadgen.connect_pacer import ConnectPacer


@pytest.fixture
def gaps_s():
    """Return the gaps between that many greenlets that come at once."""

    def after_a_burst(arrivals, count, per_s):
        pacer = ConnectPacer(arrivals)
        pacer.per_s = per_s
        through_s = []

        def arrive():
            pacer.wait()
            through_s.append(time.monotonic())

        gevent.joinall([gevent.spawn(arrive) for _ in range(count)])
        return [after - before for before, after in itertools.pairwise(through_s)]

    return after_a_burst


def test_a_burst_of_arrivals_is_spread_evenly(gaps_s):
    gaps = gaps_s("even", 20, 100.0)

    assert 0.15 <= sum(gaps)
    assert sorted(gaps)[len(gaps) // 2] > 0.005


def test_a_burst_of_arrivals_becomes_a_poisson_process(gaps_s):
    random.seed(11)
    gaps = gaps_s("poisson", 200, 200.0)
    mean_s = statistics.mean(gaps)

    assert 0.8 < mean_s * 200 < 1.25
    assert 0.75 < statistics.pstdev(gaps) / mean_s < 1.3


def test_who_comes_after_a_pause_goes_through_at_once(gaps_s):
    pacer = ConnectPacer("even")
    pacer.per_s = 0.001
    pacer._next_s = time.monotonic() - 1
    began_s = time.monotonic()
    pacer.wait()

    assert time.monotonic() - began_s < 0.5


def test_nobody_passes_while_it_is_held():
    pacer = ConnectPacer("even")
    pacer.hold(0.2)
    began_s = time.monotonic()
    pacer.wait()

    assert 0.19 <= time.monotonic() - began_s


def test_arrivals_that_come_together_come_once_a_second(gaps_s):
    gaps = gaps_s("together", 60, 40.0)

    assert [gap for gap in gaps if gap > 0.5]
    assert sum(gap < 0.02 for gap in gaps) >= 56
    assert sum(gaps) < 2.5


def test_an_upgrade_that_is_taken_back_is_no_success():
    pacer = ConnectPacer("even", is_careful=True)
    pacer.turn_to(0, 100.0, 20)
    for _ in range(10):
        pacer.opened(pacer.began())
        pacer.taken_back("handshake_closed_1013")

    assert pacer.has_given_up
    assert {"handshake_closed_1013": 10} == pacer.failures


def test_a_step_that_is_slowed_down_goes_on_at_a_share_of_its_own_pace():
    pacer = ConnectPacer("even", is_careful=True)
    pacer.turn_to(0, 400.0, 20)
    before = pacer._rate.per_s
    pacer.turn_to(0, 100.0, 20)

    assert before / 4 == pacer._rate.per_s
