import itertools
import random
import statistics

import pytest

from capacity.loadgen.client.arrivals.connect_pacer import _LOOK_AGAIN_S, ConnectPacer

NOW_S = 1000.0


@pytest.fixture
def through_s():
    """Return when that many greenlets go through that come at once."""

    def after_a_burst(pacer, count):
        slept_s = []
        pacer._sleep = slept_s.append
        for _ in range(count):
            pacer.wait()
        return [NOW_S + seconds for seconds in slept_s]

    return after_a_burst


def pacer_of(arrivals, per_s):
    pacer = ConnectPacer(arrivals, lambda: NOW_S)
    pacer.per_s = per_s
    return pacer


def gaps_between(moments_s):
    return [after - before for before, after in itertools.pairwise(moments_s)]


def test_a_burst_of_arrivals_is_spread_evenly(through_s):
    gaps = gaps_between(through_s(pacer_of("even", 100.0), 20))

    assert pytest.approx([0.01] * 19) == gaps


def test_a_burst_of_arrivals_becomes_a_poisson_process(through_s):
    random.seed(11)
    gaps = gaps_between(through_s(pacer_of("poisson", 200.0), 2000))
    mean_s = statistics.mean(gaps)

    # Five standard errors of 2,000 exponential gaps: of their mean, and of their deviation.
    assert pytest.approx(1.0, abs=5 / 2000**0.5) == mean_s * 200
    assert pytest.approx(1.0, abs=5 * (2 / 2000) ** 0.5) == statistics.pstdev(gaps) / mean_s


def test_who_comes_after_a_pause_goes_through_at_once(through_s):
    pacer = pacer_of("even", 0.001)
    pacer._next_s = NOW_S - 1

    assert [NOW_S] == through_s(pacer, 1)


def test_nobody_passes_while_it_is_held(through_s):
    pacer = pacer_of("even", 100.0)
    pacer.hold(0.2)

    assert pytest.approx([NOW_S + 0.2, NOW_S + 0.21]) == through_s(pacer, 2)


def test_arrivals_that_come_together_come_once_a_second(through_s):
    gaps = gaps_between(through_s(pacer_of("together", 40.0), 60))

    assert {0.0, 1.0} == set(gaps)
    assert 1 == gaps.count(1.0)


def test_by_the_clock_who_has_to_wait_sleeps():
    slept_s = []
    pacer = ConnectPacer("even", sleep=slept_s.append)
    pacer.hold(60.0)
    pacer.wait()

    assert 0 < slept_s[0] <= 60.0


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


def test_a_careful_pacer_has_as_many_attempts_under_way_as_its_rate_allows():
    looked = []

    def sleep(seconds):
        if seconds == _LOOK_AGAIN_S:
            looked.append(seconds)
            pacer.left()

    pacer = ConnectPacer("even", lambda: NOW_S, sleep, is_careful=True)
    pacer.turn_to(0, 1e6, None)
    allowed = pacer._rate.in_flight
    for _ in range(allowed):
        pacer.wait()
        pacer.began()
    assert [] == looked

    pacer.wait()
    assert [_LOOK_AGAIN_S] == looked


def test_who_comes_back_for_a_connection_that_came_of_age_goes_through_at_once(through_s):
    pacer = pacer_of("even", 0.001)
    pacer.hold(60.0)
    pacer.owe()

    assert [] == through_s(pacer, 1)
    assert [NOW_S + 60.0] == through_s(pacer, 1)
