import pytest

from capacity.exchange.binance.request_weights import request_weight


@pytest.mark.parametrize(
    ("path", "params", "weight"),
    [
        ("ping", {}, 1),
        ("depth", {"limit": "100"}, 5),
        ("depth", {"limit": "101"}, 25),
        ("depth", {"limit": "1001"}, 250),
        ("ticker/24hr", {}, 80),
        ("ticker/24hr", {"symbol": "BTCUSDT"}, 2),
    ],
)
def test_what_is_large_weighs_more(path, params, weight):
    assert weight == request_weight(path, params)


def test_the_weight_is_told_and_who_has_none_left_is_throttled(exchange, get):
    client = exchange(credits_per_s=0.001, credits_burst=6)
    first = get(client, "depth", symbol="BTCUSDT")
    second = get(client, "depth", symbol="BTCUSDT")

    assert (200, "5") == (first.status_code, first.headers["X-MBX-USED-WEIGHT-1M"])
    assert (429, -1003) == (second.status_code, second.json()["code"])
    assert int(second.headers["Retry-After"]) > 0
