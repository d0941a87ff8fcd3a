def test_perpetuals_alone_are_listed(exchange, get):
    told = get(exchange(instruments=12), "exchangeInfo").json()
    first = told["symbols"][0]

    assert 10 == len(told["symbols"])
    assert ("BTCUSDT", "BTC", "USDT") == (first["symbol"], first["baseAsset"], first["quoteAsset"])
    assert "0.50000000" == first["filters"][0]["tickSize"]
