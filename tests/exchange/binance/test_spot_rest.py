def test_requests_are_answered_or_refused_in_the_venues_words(exchange, get):
    client = exchange(instruments=2)

    assert {} == get(client, "ping").json()
    assert get(client, "time").json()["serverTime"] > 1.7e12
    assert 5 == len(get(client, "depth", symbol="BTCUSDT", limit=5).json()["bids"])
    assert "60000.00000000" == get(client, "ticker/24hr", symbol="BTCUSDT").json()["openPrice"]
    assert ["BTCUSDT", "ETHUSDT"] == [
        each["symbol"] for each in get(client, "ticker/bookTicker").json()
    ]
    assert get(client, "trades", symbol="BTCUSDT").json()[0]["price"]
    for params, code in (
        ({"symbol": "NOPE"}, -1121),
        ({}, -1102),
        ({"symbol": "btcusdt"}, -1100),
        ({"symbol": "BTCUSDT", "limit": "x"}, -1100),
    ):
        refused = get(client, "depth", **params)
        assert (400, code) == (refused.status_code, refused.json()["code"])
