"""Names of Binance's spot streams: a symbol in small letters, what is told of it, and how often.

<symbol>@depth, <symbol>@depth@100ms    changes of the book
<symbol>@bookTicker                     best prices, whenever they change
<symbol>@trade, <symbol>@aggTrade       each trade
<symbol>@ticker, <symbol>@miniTicker    the last day, once a second

Source: web-socket-streams.md of github.com/binance/binance-spot-api-docs.
"""

from dataclasses import dataclass

QUOTE = "USDT"
_PERPETUAL = "-PERPETUAL"

_INTERVALS_S = {
    "depth": 1.0,
    "depth@100ms": 0.1,
    "bookTicker": 0.0,
    "trade": 0.0,
    "aggTrade": 0.0,
    "ticker": 1.0,
    "miniTicker": 1.0,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    name: str
    symbol: str
    """In big letters, as all else has it."""
    subject: str
    """The first word behind the symbol."""
    interval_s: float
    """Least time between two updates; 0 passes every one."""

    @property
    def instrument(self) -> str:
        """Return what Deribit calls the same market."""
        return instrument_of(self.symbol)

    @property
    def envelope(self) -> tuple[bytes, bytes]:
        """Return nothing: what stands around an update depends on who follows."""
        return b"", b""


def parsed_stream(name: str) -> Stream | None:
    """Return the stream called *name*, or None if no stream can be called so."""
    symbol, _, kind = name.partition("@")
    if kind not in _INTERVALS_S or symbol != symbol.lower():
        return None
    return Stream(
        name=name,
        symbol=symbol.upper(),
        subject=kind.partition("@")[0],
        interval_s=_INTERVALS_S[kind],
    )


def symbol_of(instrument: str) -> str | None:
    """Return the symbol of an instrument of Deribit's; None of an option."""
    if not instrument.endswith(_PERPETUAL):
        return None
    return instrument.removesuffix(_PERPETUAL) + QUOTE


def instrument_of(symbol: str) -> str:
    return symbol.removesuffix(QUOTE) + _PERPETUAL
