import pytest

from capacity.exchange.api.rpc import RpcError
from capacity.exchange.venue import Venue


def test_the_market_asked_for_is_found_by_name():
    venue = Venue(seed=1, instruments=2)

    market = venue.market_asked_for({"instrument_name": "ETH-PERPETUAL"})

    assert market.instrument.name == "ETH-PERPETUAL"


@pytest.mark.parametrize(
    ("params", "code"),
    [({"instrument_name": "SOL-PERPETUAL"}, 13020), ({}, -32602), ({"instrument_name": 1}, -32602)],
)
def test_a_market_that_is_not_listed_is_not_found(params, code):
    with pytest.raises(RpcError) as caught:
        Venue(seed=1, instruments=2).market_asked_for(params)

    assert caught.value.code == code
