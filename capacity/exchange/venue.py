"""What the exchange knows, whoever asks: its markets, accounts and tokens."""

from collections.abc import Mapping

from capacity.exchange.api.accounts import Accounts, Tokens
from capacity.exchange.api.logins import Credentials
from capacity.exchange.api.rpc import Params, RpcError, text_param
from capacity.exchange.api.user_channels import UserChannels
from capacity.exchange.market.instruments import listed_instruments
from capacity.exchange.market.market import Market


class Venue:
    def __init__(
        self, *, seed: int, instruments: int, secrets: Mapping[str, str] | None = None
    ) -> None:
        """Have so many instruments; only the clients in *secrets* may log in, where there are any."""
        self.markets = {
            instrument.name: Market(instrument, seed)
            for instrument in listed_instruments(instruments)
        }
        self.accounts = Accounts()
        self.tokens = Tokens(seed)
        self.credentials = Credentials(secrets)
        self.user_channels = UserChannels(self.markets)

    def market_asked_for(self, params: Params) -> Market:
        market = self.markets.get(text_param(params, "instrument_name"))
        if market is None:
            raise RpcError(13020, "not_found", param="instrument_name")
        return market
