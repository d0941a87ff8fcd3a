from capacity.exchange.binance.spot_figures import text


def test_numbers_have_eight_decimals():
    assert "0.00010000" == text(1e-4)
