"""What the exchange knows, whoever asks: its markets, accounts and tokens."""

from capacity.exchange.accounts import Accounts, Tokens
from capacity.exchange.instruments import listed_instruments
from capacity.exchange.market import Market
from capacity.exchange.rpc import Params, RpcError, text_param


class Venue:
    def __init__(self, *, seed: int, instruments: int) -> None:
        self.markets = {
            instrument.name: Market(instrument, seed)
            for instrument in listed_instruments(instruments)
        }
        self.accounts = Accounts()
        self.tokens = Tokens(seed)

    def market_asked_for(self, params: Params) -> Market:
        market = self.markets.get(text_param(params, "instrument_name"))
        if market is None:
            raise RpcError(13020, "not_found", param="instrument_name")
        return market
