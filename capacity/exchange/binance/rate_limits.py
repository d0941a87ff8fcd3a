"""The limits of one address that are in force, as `exchangeInfo` tells them.

Sources: "Rate limiters" of enums.md, "Limits" of rest-api.md and the type CONNECTIONS of web-socket-api.md,
github.com/binance/binance-spot-api-docs. How many connections may be open at once has no type there.
"""

import math
from typing import Any

from capacity.exchange.options import ExchangeOptions

_INTERVALS_S = (("DAY", 86_400), ("MINUTE", 60), ("SECOND", 1))


def rate_limits(options: ExchangeOptions) -> list[dict[str, Any]]:
    """Return the limits of *options*, in the order of the venue; none where none is set."""
    limits = []
    if options.credits_per_s is not None:
        limits.append(_limit("REQUEST_WEIGHT", options.credits_burst, credits_window_s(options)))
    if options.connects_per_address is not None:
        limits.append(
            _limit("CONNECTIONS", options.connects_per_address, options.connects_window_s)
        )
    return limits


def credits_window_s(options: ExchangeOptions) -> float:
    """Return the time in which all credits come back.

    Who asks for no more than the burst in any such time is never refused.
    """
    assert options.credits_per_s is not None
    return options.credits_burst / options.credits_per_s


def interval(window_s: float) -> tuple[str, int]:
    """Return the venue's word for a time, rounded up to seconds, and how many of them it has."""
    whole_s = max(1, math.ceil(window_s))
    word, length_s = next(each for each in _INTERVALS_S if whole_s % each[1] == 0)
    return word, whole_s // length_s


def _limit(kind: str, most: int, window_s: float) -> dict[str, Any]:
    word, count = interval(window_s)
    return {"rateLimitType": kind, "interval": word, "intervalNum": count, "limit": most}
