"""What is listed: a few busy perpetuals, then a long tail of options.

The two classes follow options venues, which list hundreds of thin options beside a handful of
hot perpetuals.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from itertools import islice, product

PERPETUALS = (
    ("BTC", 60_000.0, 0.5, 10.0),
    ("ETH", 3_000.0, 0.05, 1.0),
    ("SOL", 150.0, 0.01, 1.0),
    ("XRP", 2.0, 0.0001, 10.0),
    ("DOGE", 0.4, 0.0001, 100.0),
    ("ADA", 0.8, 0.0001, 10.0),
    ("AVAX", 40.0, 0.01, 1.0),
    ("LTC", 90.0, 0.01, 1.0),
    ("DOT", 7.0, 0.001, 1.0),
    ("LINK", 18.0, 0.001, 1.0),
)
"""Currency, first price, tick size, contract size."""

_EXPIRIES = ("28JUN30", "27SEP30", "27DEC30", "28MAR31")
_STRIKES = range(76, 126, 2)
"""In percent of the first price."""

MOST_INSTRUMENTS = len(PERPETUALS) * (1 + len(_EXPIRIES) * len(_STRIKES) * 2)


class Kind(StrEnum):
    FUTURE = "future"
    OPTION = "option"


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    name: str
    kind: Kind
    currency: str
    tick_size: float
    contract_size: float
    first_ticks: int
    """Price at the start, in ticks."""
    strike: float | None
    expiry: str | None
    """Such as 28JUN30; None never expires."""

    def price_at(self, ticks: int) -> float:
        return round(ticks * self.tick_size, 4)

    @property
    def expires_at_ms(self) -> int:
        """Expiry at 08:00 UTC; perpetuals carry a date far off, as the dialect has it."""
        day = datetime(3000, 1, 1, tzinfo=UTC)
        if self.expiry is not None:
            day = datetime.strptime(self.expiry, "%d%b%y").replace(tzinfo=UTC)
        return round(day.replace(hour=8).timestamp()) * 1_000


def listed_instruments(count: int) -> tuple[Instrument, ...]:
    """Return the first *count* instruments, always in the same order, busiest first."""
    assert 1 <= count <= MOST_INSTRUMENTS
    options = islice(
        product(_EXPIRIES, _STRIKES, PERPETUALS, "CP"), max(0, count - len(PERPETUALS))
    )
    perpetuals = PERPETUALS[:count]
    return (
        *(_perpetual(*row) for row in perpetuals),
        *(_option(expiry, percent, row[0], row[1], side) for expiry, percent, row, side in options),
    )


def _perpetual(currency: str, price: float, tick_size: float, contract_size: float) -> Instrument:
    return Instrument(
        name=f"{currency}-PERPETUAL",
        kind=Kind.FUTURE,
        currency=currency,
        tick_size=tick_size,
        contract_size=contract_size,
        first_ticks=round(price / tick_size),
        strike=None,
        expiry=None,
    )


def _option(expiry: str, percent: int, currency: str, price: float, side: str) -> Instrument:
    strike = price * percent / 100
    return Instrument(
        name=f"{currency}-{expiry}-{strike:g}-{side}".replace(".", "d"),
        kind=Kind.OPTION,
        currency=currency,
        tick_size=0.0005,
        contract_size=0.1,
        first_ticks=400,
        strike=strike,
        expiry=expiry,
    )
