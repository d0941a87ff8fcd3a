"""Why a target ended a connection: it never wanted it, it ends all at that age, or it was lost."""

import math
from collections.abc import Iterable

from capacity.loadgen.client.arrivals.lifetimes import Lifetimes
from capacity.loadgen.client.slots.watched import Watched
from capacity.loadgen.protocol.counters import Counters

GOING_AWAY = 1001
"""Close code of a target that ends (RFC 6455, section 7.4.1): who was open is lost."""
TRY_AGAIN_LATER = 1013
"""Close code of a target that has no room (IANA's registry of WebSocket close codes)."""
REFUSED_WITHIN_S = 1.0
"""Whom a target ends so soon it never wanted; whom it tells to come again later, at any age."""

Closing = tuple[int, str]
"""Code and reason of a close frame."""


def refusal_in(closing: Closing | None, *, was_let_in: bool, age_s: float) -> str | None:
    """Return the reason where a target upgraded a connection only to say that it does not want it.

    One that was served, or whose subscriptions were confirmed, *was let in*; a greeting or the words of
    an error before the farewell do not make it so.
    """
    if closing is None or closing[0] == GOING_AWAY or was_let_in:
        return None
    if age_s >= REFUSED_WITHIN_S and closing[0] != TRY_AGAIN_LATER:
        return None
    return f"handshake_closed_{closing[0]}"


def has_expired(
    lifetimes: Lifetimes,
    counters: Counters,
    closing: Closing | None,
    others: Iterable[Watched],
    *,
    age_s: float,
    now_s: float,
    is_held: bool,
) -> bool:
    """Tell whether the target ended a connection at the age at which it ends all, and count it so.

    *others* are those of its kind, *is_held* says that none of them is being opened.
    """

    def eldest_born_s() -> float:
        return min((each.born_s for each in others if each.is_open), default=math.inf)

    known = lifetimes.note(age_s, now_s, closing, eldest_born_s=eldest_born_s, is_held=is_held)
    if not known:
        return False
    counters.expired += known
    counters.lost -= known - 1  # Those before it were taken for lost.
    counters.fail("connection_expired")
    counters.lifetime.append(lifetimes.age_s * 1e6)
    return True
