import pytest

from capacity.exchange.binance.streams import parsed_stream, symbol_of


def test_a_stream_is_of_the_market_that_deribit_calls_otherwise():
    stream = parsed_stream("btcusdt@depth@100ms")

    assert ("BTC-PERPETUAL", "BTCUSDT", 0.1) == (
        stream.instrument,
        stream.symbol,
        stream.interval_s,
    )
    assert "BTCUSDT" == symbol_of("BTC-PERPETUAL")
    assert symbol_of("BTC-28JUN30-50000-C") is None


@pytest.mark.parametrize("name", ["btcusdt", "BTCUSDT@trade", "btcusdt@nothing", "0", ""])
def test_other_names_are_of_no_stream(name):
    assert parsed_stream(name) is None
