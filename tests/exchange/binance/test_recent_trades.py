def test_trades_are_kept_from_the_first_request_on(exchange, get):
    client = exchange(updates_per_s=100.0, instruments=1)
    trades = get(client, "trades", symbol="BTCUSDT").json()
    for _ in range(200):
        if len(trades) > 3:
            break
        trades = get(client, "trades", symbol="BTCUSDT").json()
    ids = [trade["id"] for trade in trades]

    assert list(range(ids[0], ids[0] + len(ids))) == ids
    assert len(ids) > 3
