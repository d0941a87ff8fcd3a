"""The constant pace."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.workload.dialects.dialect import Dialect
from capacity.workload.dialects.endpoints import WebSocket
from capacity.workload.profiles.pacing import (
    MOST_OVERDUE,
    MOST_PAUSE_S,
    ConstantPace,
    asked_pause_s,
    intended_s,
    request_interval_s,
)


def test_a_client_that_keeps_up_starts_exactly_on_its_schedule():
    pace = ConstantPace(start_s=100.0, interval_s=0.5)
    starts_s = [pace.next_intended_s(now_s) for now_s in (99.0, 100.1, 100.6, 101.2)]

    assert starts_s == [100.0, 100.5, 101.0, 101.5]
    assert pace.missed == 0


def test_a_pause_is_worked_through_from_the_intended_starts():
    pace = ConstantPace(start_s=0.0, interval_s=1.0)
    pace.next_intended_s(0.0)
    after_a_reply_of_5_s = [pace.next_intended_s(5.2) for _ in range(6)]

    assert after_a_reply_of_5_s == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    assert pace.missed == 0


def test_what_can_never_be_caught_up_with_is_dropped_and_counted():
    pace = ConstantPace(start_s=0.0, interval_s=1.0)
    first_s = pace.next_intended_s(100.5)

    assert first_s == 91.0
    assert pace.missed == 91


@given(st.lists(st.floats(0, 30), max_size=60), st.floats(0.01, 5))
def test_every_request_is_either_made_once_or_counted_as_missed(pauses_s, interval_s):
    pace, now_s, made = ConstantPace(start_s=7.0, interval_s=interval_s), 7.0, []
    for pause_s in pauses_s:
        now_s += pause_s
        made.append(pace.next_intended_s(now_s))
        now_s = max(now_s, made[-1])
        overdue = (now_s - made[-1]) / interval_s

        assert overdue <= MOST_OVERDUE + 1e-6
        assert made[-1] == intended_s(7.0, interval_s, len(made) + pace.missed - 1)

    assert made == sorted(set(made))


def test_no_rounding_adds_up_over_a_million_requests():
    assert intended_s(0.0, 0.1, 1_000_000) == pytest.approx(100_000.0, abs=1e-6)


@pytest.mark.parametrize(
    ("header", "expected_s"),
    [
        ("7", 7.0),
        (" 7 ", 7.0),
        ("Wed, 21 Oct 2015 07:28:10 GMT", 10.0),
        ("Wed, 21 Oct 2015 07:27:00 GMT", 0.0),
        ("86400", MOST_PAUSE_S),
        ("-5", 0.0),
        ("soon", 0.0),
        ("", 0.0),
        (None, 0.0),
    ],
)
def test_a_retry_after_header_is_seconds_or_a_date(header, expected_s):
    now_at = 1445412480.0  # 2015-10-21T07:28:00Z

    assert expected_s == asked_pause_s(header, now_at)


@pytest.mark.parametrize(("most_per_s", "least_s"), [(5, 0.2), (0.5, 2.0)])
def test_requests_are_never_more_in_a_second_than_allowed(most_per_s, least_s):
    interval_s = request_interval_s(paced(most_per_s))

    assert least_s < interval_s < 1.1 * least_s


def test_requests_are_not_paced_unless_it_is_asked_for():
    assert request_interval_s(paced(None)) is None


def paced(requests_per_s):
    return Dialect(
        dialect=1,
        name="x",
        ws=WebSocket(url="ws://h", requests_per_s=requests_per_s),
        channels={},
        data=(),
    )
