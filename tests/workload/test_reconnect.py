"""Delays before dialling again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.workload.reconnect import WAITS, ReconnectPolicy, waits_s


@pytest.mark.parametrize(
    ("policy", "delays_s"),
    [
        ("immediate", [0, 0, 0, 0]),
        ("fixed", [0.1, 0.1, 0.1, 0.1]),
        # ccxt: 0.1 · 2ⁿ s, at most 30 s.
        ("exponential", [0.1, 0.2, 0.4, 30]),
        ("full_jitter", [0.05, 0.1, 0.2, 15]),
    ],
)
def test_a_policy_waits_as_its_name_says(policy, delays_s):
    clients = ReconnectPolicy(policy=policy, base_s=0.1, factor=2, cap_s=30)
    waited_s = [clients.delay_s(attempt, 0.5) for attempt in (0, 1, 2, 99)]

    assert waited_s == pytest.approx(delays_s)


@given(
    st.sampled_from(["immediate", "exponential", "full_jitter"]),
    st.integers(0, 10**6),
    st.floats(0, 1, exclude_max=True),
)
def test_no_delay_is_negative_or_beyond_the_cap(policy, attempt, random01):
    delay_s = ReconnectPolicy(policy=policy, base_s=1.5, cap_s=60).delay_s(attempt, random01)

    assert 0 <= delay_s <= 60


def test_who_heeds_retry_after_waits_as_asked_and_else_as_others_do():
    clients = ReconnectPolicy(policy="retry_after", base_s=1, factor=2)

    assert [0.0, 7.0] == [clients.delay_s(0, 0.5), clients.delay_s(1, 0.5, asked_s=7.0)]
    assert 4.0 == clients.delay_s(2, 0.5)


def test_waits_span_from_the_shortest_to_the_longest():
    clients = ReconnectPolicy(policy="full_jitter", base_s=2, cap_s=5)

    assert [low for low, _high in waits_s(clients)] == [0.0] * WAITS
    assert [high for _low, high in waits_s(clients)][:3] == pytest.approx([2, 4, 5])


def test_jitter_spreads_over_the_whole_interval():
    clients = ReconnectPolicy(policy="full_jitter", base_s=8)

    assert [clients.delay_s(0, r) for r in (0.0, 0.25, 0.75)] == [0.0, 2.0, 6.0]
