"""The laws of a storm against a queue that serves one handshake after the other."""

import heapq
from bisect import bisect_left

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.models.operations.reconnect_storm import (
    arrivals_after_loss,
    is_metastable,
    served_per_s,
    shortest_window_s,
)

PER_S = 100.0
TIMEOUT_S = 5.0


def storm(arrivals, *, window_s, wait_s, until_s=400.0):
    """Return the longest wait, and the clients never served, of a first-come-first-served queue.

    Requests of clients who left stay queued and are served for nobody. Clients come evenly over
    *window_s*, leave after TIMEOUT_S and come back *wait_s* later.
    """
    dials = [(window_s * client / arrivals, client) for client in range(arrivals)]
    heapq.heapify(dials)
    free_at, longest_s, served = 0.0, 0.0, 0
    while dials and dials[0][0] < until_s:
        at, client = heapq.heappop(dials)
        free_at = max(free_at, at) + 1.0 / PER_S
        if free_at - at <= TIMEOUT_S:
            served += 1
            longest_s = max(longest_s, free_at - at)
        else:
            heapq.heappush(dials, (at + TIMEOUT_S + wait_s, client))
    return longest_s, arrivals - served


@pytest.mark.parametrize("arrivals", [50, 1_000, 5_000])
def test_in_the_shortest_window_nobody_waits(arrivals):
    window_s = shortest_window_s(arrivals, PER_S)

    longest_s, lost = storm(arrivals, window_s=window_s, wait_s=0.0)

    assert window_s == pytest.approx(arrivals / PER_S / 0.7)
    assert lost == 0
    assert longest_s <= 1.01 / PER_S


def test_in_half_of_it_they_queue():
    window_s = shortest_window_s(1_000, PER_S) / 2

    longest_s, _ = storm(1_000, window_s=window_s, wait_s=0.0)

    assert longest_s == pytest.approx(1_000 / PER_S - window_s, rel=0.02)


@pytest.mark.parametrize("wait_s", [0.0, 2.0, 10.0])
@pytest.mark.parametrize("window_s", [0.0, 3.0, 8.0])
def test_the_overload_outlives_its_cause_from_the_threshold_on(window_s, wait_s):
    def is_stuck(arrivals):
        return is_metastable(arrivals, PER_S, timeout_s=TIMEOUT_S, wait_s=wait_s, spread_s=window_s)

    threshold = bisect_left(range(10_000), True, key=is_stuck)
    _, lost_below = storm(round(0.98 * threshold), window_s=window_s, wait_s=wait_s)
    _, lost_above = storm(round(1.02 * threshold), window_s=window_s, wait_s=wait_s)

    assert 0 < threshold < 10_000
    assert lost_below == 0
    assert lost_above > 0


def test_survivors_share_the_clients_of_the_lost():
    assert arrivals_after_loss(1_000_000.0, 10, 8) == pytest.approx(25_000.0)


def test_the_example_of_a_million_clients_on_ten_hosts():
    # 100,000 clients for each of 10 survivors, 1,300 full TLS handshakes a second and core, 4 cores.
    assert shortest_window_s(100_000, 4 * 1_300.0) == pytest.approx(27.5, rel=0.01)


def test_without_room_there_is_no_window():
    assert served_per_s(-0.1, 0.001) == 0.0
    assert shortest_window_s(10.0, 0.0) is None
    assert is_metastable(10.0, 0.0, timeout_s=1.0, wait_s=1.0, spread_s=1.0)
    assert not is_metastable(1.0, 0.5, timeout_s=10.0, wait_s=1.0, spread_s=1.0)
    assert shortest_window_s(7.0, 0.5) == pytest.approx(20.0)


@given(
    arrivals=st.floats(1.0, 1e6),
    spare=st.floats(0.01, 10.0),
    more=st.floats(1.0, 10.0),
    cost_s=st.floats(1e-6, 1.0),
)
def test_more_room_never_needs_a_wider_window(arrivals, spare, more, cost_s):
    narrow = shortest_window_s(arrivals, served_per_s(spare * more, cost_s))

    assert narrow <= shortest_window_s(arrivals, served_per_s(spare, cost_s))


def test_spare_cores_serve_as_many_as_each_arrival_leaves_room_for():
    assert served_per_s(0.5, 0.01) == pytest.approx(50.0)
    assert served_per_s(-0.1, 0.01) == 0.0
