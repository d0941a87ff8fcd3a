"""A limit order book as a ladder: every tick near the middle holds an amount.

Rule: the best ask is one tick above the best bid, so a crossed book cannot be written down.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

DEPTH = 20
"""Price levels on each side."""

Level = tuple[int, float]
"""Price in ticks, amount."""

Change = tuple[str, int, float]
"""new, change or delete; price in ticks; amount, 0 for a deleted level."""


@dataclass(slots=True, kw_only=True)
class Book:
    best_bid_ticks: int
    bid_amounts: list[float]
    """From the best price outwards, as are the asks."""
    ask_amounts: list[float]

    @property
    def best_ask_ticks(self) -> int:
        return self.best_bid_ticks + 1

    def bids(self) -> list[Level]:
        return [(self.best_bid_ticks - i, amount) for i, amount in enumerate(self.bid_amounts)]

    def asks(self) -> list[Level]:
        return [(self.best_ask_ticks + i, amount) for i, amount in enumerate(self.ask_amounts)]

    def move_up(self, *, bid_amount: float, ask_amount: float) -> None:
        """Turn the best ask into the best bid; *ask_amount* appears at the far end."""
        self.best_bid_ticks += 1
        self.ask_amounts = [*self.ask_amounts[1:], ask_amount]
        self.bid_amounts = [bid_amount, *self.bid_amounts[:-1]]

    def move_down(self, *, bid_amount: float, ask_amount: float) -> None:
        """Turn the best bid into the best ask; *bid_amount* appears at the far end."""
        self.best_bid_ticks -= 1
        self.bid_amounts = [*self.bid_amounts[1:], bid_amount]
        self.ask_amounts = [ask_amount, *self.ask_amounts[:-1]]

    def copy(self) -> Self:
        return type(self)(
            best_bid_ticks=self.best_bid_ticks,
            bid_amounts=self.bid_amounts.copy(),
            ask_amounts=self.ask_amounts.copy(),
        )


def changes_between(before: Sequence[Level], after: Sequence[Level]) -> list[Change]:
    """Return what turns one side *before* into the same side *after*."""
    old, new = dict(before), dict(after)
    changes: list[Change] = [
        ("change" if ticks in old else "new", ticks, amount)
        for ticks, amount in after
        if old.get(ticks) != amount
    ]
    return changes + [("delete", ticks, 0.0) for ticks in old if ticks not in new]


def grouped_levels(levels: Sequence[Level], *, group_ticks: int, upwards: bool) -> list[Level]:
    """Return *levels* summed into steps of *group_ticks*, asks rounded *upwards*, bids down."""
    sums: dict[int, float] = {}
    for ticks, amount in levels:
        steps = math.ceil(ticks / group_ticks) if upwards else ticks // group_ticks
        sums[steps * group_ticks] = sums.get(steps * group_ticks, 0.0) + amount
    return [(ticks, round(amount, 4)) for ticks, amount in sums.items()]
