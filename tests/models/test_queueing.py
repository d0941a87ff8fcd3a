import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.models.queueing import (
    approximate_wait_s,
    fan_out_delay_s,
    shared_time_s,
)


def chance_to_wait(servers, offered_load):
    """Return C(c, a) of Erlang (1917), from his B by recursion."""
    blocked = 1.0
    for busy in range(1, servers + 1):
        blocked = offered_load * blocked / (busy + offered_load * blocked)
    busy_ratio = offered_load / servers
    return blocked / (1.0 - busy_ratio * (1.0 - blocked))


def mean_wait_s(servers, offered_load, service_s):
    """Return W of M/M/c, exactly: S·C(c, a) / (c − a)."""
    return service_s * chance_to_wait(servers, offered_load) / (servers - offered_load)


@pytest.mark.parametrize(
    ("servers", "offered_load", "published"),
    [
        # Closed forms: M/M/1 waits with ρ, M/M/2 with 2·ρ² / (1 + ρ).
        (1, 0.3, 0.3),
        (1, 0.95, 0.95),
        (2, 1.0, 2 * 0.25 / 1.5),
        (2, 1.8, 2 * 0.81 / 1.9),
        # M/M/3 at a = 2: (4/3·3) / (1 + 2 + 2 + 4) = 4/9 (Gross & Harris, ch. 2).
        (3, 2.0, 4 / 9),
        # Tables of Erlang's C: 5 servers at 4 erlangs, 10 at 8.
        (5, 4.0, 0.5541),
        (10, 8.0, 0.4092),
    ],
)
def test_erlang_s_tables_are_met(servers, offered_load, published):
    assert chance_to_wait(servers, offered_load) == pytest.approx(published, abs=5e-5)


def simulated_wait_s(random, servers, arrivals_per_s, service_s, customers=60_000):
    """Return the mean wait of a queue with random arrivals, without its start."""
    at = np.cumsum(random.exponential(1.0 / arrivals_per_s, customers))
    free = np.zeros(servers)
    waits = np.empty(customers)
    for n, (arrived, service) in enumerate(
        zip(at, random.exponential(service_s, customers), strict=True)
    ):
        first = int(np.argmin(free))
        begin = max(arrived, free[first])
        waits[n], free[first] = begin - arrived, begin + service
    return float(waits[customers // 10 :].mean())


@pytest.mark.parametrize(("servers", "busy_ratio"), [(1, 0.7), (4, 0.8)])
def test_a_simulated_queue_waits_as_long_as_both_laws_say(servers, busy_ratio):
    waited = simulated_wait_s(np.random.default_rng(5), servers, busy_ratio * servers, 1.0)

    assert mean_wait_s(servers, busy_ratio * servers, 1.0) == pytest.approx(waited, rel=0.1)
    assert approximate_wait_s(servers, busy_ratio, 1.0) == pytest.approx(waited, rel=0.12)


@given(st.floats(0.01, 0.99))
def test_with_one_server_the_approximation_is_exact(busy_ratio):
    assert approximate_wait_s(1, busy_ratio, 2.0) == pytest.approx(mean_wait_s(1, busy_ratio, 2.0))


@given(st.integers(1, 64), st.floats(0.2, 0.98))
def test_the_approximation_stays_near_the_exact_law(servers, busy_ratio):
    exact = mean_wait_s(servers, busy_ratio * servers, 1.0)

    assert abs(approximate_wait_s(servers, busy_ratio, 1.0) - exact) < 0.1 * exact + 0.03


def simulated_delay_s(random, *, subscribers, delivery_s, updates_per_s):
    """Return the mean time until half of the subscribers have an update."""
    count = 20_000
    gaps = random.exponential(1.0 / updates_per_s, count)
    free, delays = 0.0, []
    for at in np.cumsum(gaps):
        begin = max(at, free)
        delays.append(begin - at + 0.5 * subscribers * delivery_s)
        free = begin + subscribers * delivery_s
    return float(np.mean(delays))


def test_a_simulated_fan_out_is_as_slow_as_the_law_says():
    load = {"subscribers": 400, "delivery_s": 25e-6, "updates_per_s": 70.0}
    simulated = simulated_delay_s(np.random.default_rng(1), **load)

    assert fan_out_delay_s(**load, share=0.5) == pytest.approx(simulated, rel=0.05)


def test_a_server_that_is_always_busy_makes_wait_for_ever():
    assert approximate_wait_s(2, 1.0, 1.0) == math.inf
    assert shared_time_s(1.0, 1.0) == math.inf
    assert fan_out_delay_s(100, 0.01, 1.0, share=0.5) == math.inf


def test_sharing_a_server_takes_twice_as_long_at_half_load():
    assert shared_time_s(0.5, 0.2) == pytest.approx(0.4)
    assert shared_time_s(0.9, 0.2) == pytest.approx(2.0)


def test_the_formulas_give_what_they_give_by_hand():
    # √(2·(4 + 1)) − 1 = 2.162278 as the power of ½, over 4·½, of 3 s.
    assert approximate_wait_s(4, 0.5, 3.0) == pytest.approx(3.0 * 0.2234084 / 2.0, rel=1e-4)
    # A batch of 100 takes 0.1 s, and 5 of them half of the time: 0.05 s of waiting, 0.095 s of serving.
    assert fan_out_delay_s(100, 0.001, 5.0, share=0.95) == pytest.approx(0.145)
