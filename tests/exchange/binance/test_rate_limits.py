import pytest

from capacity.exchange.admission.gate import Gate
from capacity.exchange.binance.rate_limits import interval, rate_limits
from capacity.exchange.counters import Counters
from capacity.exchange.options import ExchangeOptions

HERE = "127.0.0.1"


@pytest.mark.parametrize(
    ("window_s", "told"),
    [
        (0.5, ("SECOND", 1)),
        (5.1, ("SECOND", 6)),
        (60.0, ("MINUTE", 1)),
        (300.0, ("MINUTE", 5)),
        (90.0, ("SECOND", 90)),
        (172_800.0, ("DAY", 2)),
    ],
)
def test_a_time_is_told_in_the_longest_interval_that_fits(window_s, told):
    assert told == interval(window_s)


def test_without_limits_there_are_none_to_tell():
    assert [] == rate_limits(ExchangeOptions(max_connections=5))


def test_the_venues_own_figures_are_told_as_the_venue_does(exchange, get):
    client = exchange(credits_per_s=100.0, credits_burst=6000, connects_per_address=300)

    assert [
        {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 6000},
        {"rateLimitType": "CONNECTIONS", "interval": "MINUTE", "intervalNum": 5, "limit": 300},
    ] == get(client, "exchangeInfo").json()["rateLimits"]


@pytest.mark.parametrize(("per_s", "burst"), [(2.0, 10), (3.0, 100), (200.0, 100)])
def test_who_keeps_to_the_weight_that_is_told_is_never_refused(per_s, burst):
    now_s = [0.0]
    options = ExchangeOptions(credits_per_s=per_s, credits_burst=burst)
    gate = Gate(options, Counters(), lambda: now_s[0])
    (told,) = rate_limits(options)
    length_s = told["intervalNum"] * {"SECOND": 1, "MINUTE": 60}[told["interval"]]
    for _ in range(20):
        assert gate.ask(HERE, told["limit"]) is None
        now_s[0] += length_s
