import pytest

from capacity.domain.load import SLOW_HANDSHAKE_S
from capacity.workload.profiles.connect_rate import (
    FEWEST_IN_FLIGHT,
    SLOWEST_PER_S,
    START_PER_S,
    ConnectRate,
)


def after(rate, seconds, took_s=0.002, begin_s=0.0):
    """Open connections at the rate for so long, on a clock of our own."""
    now_s = begin_s
    while now_s < begin_s + seconds:
        rate.opened(now_s, took_s)
        now_s += 1.0 / rate.per_s
    return rate.per_s


@pytest.fixture
def rate():
    rate = ConnectRate()
    rate.most_per_s = 400.0
    return rate


def test_it_begins_slowly_and_doubles_every_second_while_handshakes_are_fast(rate):
    assert START_PER_S == rate.per_s
    assert pytest.approx(2 * START_PER_S, rel=0.15) == after(rate, 1.0)


def test_it_never_exceeds_the_most(rate):
    assert 400.0 == after(rate, 30.0)


def test_a_slow_handshake_halves_it_once(rate):
    fast_per_s = after(rate, 3.0)
    rate.opened(3.0, SLOW_HANDSHAKE_S * 1.01)
    # Begun at the rate that was too fast, before it was known.
    rate.opened(3.05, SLOW_HANDSHAKE_S * 2)

    assert fast_per_s / 2 == rate.per_s


@pytest.mark.parametrize(
    ("took_s", "is_slow"), [(SLOW_HANDSHAKE_S, False), (SLOW_HANDSHAKE_S * 1.01, True)]
)
def test_fast_enough_is_what_one_pause_of_a_loop_takes(rate, took_s, is_slow):
    before_per_s = after(rate, 1.0)
    rate.opened(1.0, took_s)

    assert is_slow == (rate.per_s < before_per_s)


def test_where_handshakes_take_long_anyway_only_longer_ones_are_slow(rate):
    after(rate, 1.0, took_s=0.2)
    before_per_s = rate.per_s
    rate.opened(1.0, 0.79)

    assert rate.per_s >= before_per_s

    rate.opened(2.0, 0.81)

    assert rate.per_s < before_per_s


def test_after_the_first_slow_one_it_grows_gently(rate):
    after(rate, 3.0)
    rate.failed(3.0, 0.01)
    halved_per_s = rate.per_s

    assert halved_per_s < after(rate, 1.0, begin_s=3.1) < 1.1 * halved_per_s


def test_failures_never_bring_it_to_a_stand(rate):
    for second in range(50):
        rate.failed(float(second), 0.5)

    assert SLOWEST_PER_S == rate.per_s
    assert FEWEST_IN_FLIGHT == rate.in_flight


@pytest.mark.parametrize(("took_s", "in_flight"), [(0.002, 40), (0.2, 160)])
def test_no_more_are_under_way_than_the_rate_takes(rate, took_s, in_flight):
    """At 400/s: a tenth of a second's worth, or twice what a handshake takes where that is longer."""
    assert 400.0 == after(rate, 30.0, took_s=took_s)
    assert in_flight == rate.in_flight


def test_a_rate_that_is_eased_grows_gently_from_then_on():
    rate = ConnectRate()
    rate.ease(0.5)
    rate.opened(0.0, 0.001)

    assert START_PER_S / 2 < rate.per_s < START_PER_S / 2 + 0.1
