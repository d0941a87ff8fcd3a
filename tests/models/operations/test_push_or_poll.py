import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.models.operations.push_or_poll import (
    break_even_interval_s,
    held_share,
    poll_cost,
    poll_interval_s_at_freshness,
)

COST = st.floats(1e-9, 1.0)


@pytest.mark.parametrize(
    ("freshness_s", "reply_s", "interval_s"),
    [(0.95, 0.0, 1.0), (1.0, 0.05, 1.0), (0.05, 0.05, None), (0.01, 0.05, None)],
)
def test_a_poll_must_come_before_what_is_held_grows_too_old(freshness_s, reply_s, interval_s):
    assert poll_interval_s_at_freshness(freshness_s, reply_s) == pytest.approx(interval_s)


def test_nineteen_times_in_twenty_a_poller_is_fresh_enough():
    interval_s = poll_interval_s_at_freshness(1.0, 0.05)
    ages_s = [0.05 + interval_s * (moment + 0.5) / 1000 for moment in range(1000)]

    assert sum(age_s <= 1.0 for age_s in ages_s) == 950


@given(held=COST, delivery=COST, request=COST, deliveries_per_s=st.floats(0.0, 100.0))
def test_at_the_break_even_interval_both_cost_the_same(held, delivery, request, deliveries_per_s):
    interval_s = break_even_interval_s(held, delivery, request, deliveries_per_s)

    assert request / interval_s == pytest.approx(held + delivery * deliveries_per_s)


def test_what_is_free_to_push_is_never_worth_a_poll():
    assert break_even_interval_s(0.0, 1.0, 1.0, 0.0) == math.inf


def test_a_poller_holds_its_connection_as_long_as_it_is_kept_alive():
    assert held_share(1.0) == 1.0
    assert held_share(300.0) == 0.25


def test_a_poller_that_comes_just_in_time_finds_its_connection():
    assert poll_cost(0.15, 0.4, 75.0) == pytest.approx(0.002)
    assert poll_cost(0.15, 0.6, 75.1) == pytest.approx(0.75 / 75.1)


def test_a_poller_that_comes_too_late_arrives_anew():
    assert poll_cost(0.1, 0.4, 1.0) == pytest.approx(0.1)
    assert poll_cost(0.1, 0.4, 100.0) == pytest.approx(0.005)
