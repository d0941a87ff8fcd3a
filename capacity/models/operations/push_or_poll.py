"""
Push or poll: a held connection with u deliveries a second costs b_C + b_m·u of a resource, a client
that polls every T seconds b_r / T.

With polls every T the age of what a client holds is uniform in [0, T], plus the time a reply takes:
its quantile p stays within the freshness F for T ≤ (F − reply) / p (age of information: Kaul, Yates
& Gruteser, INFOCOM 2012). Pushing is dearer than polling every T = b_r / (b_C + b_m·u) or less often.

What is held rather than spent (descriptors, memory) a poller takes as long as its connection is
kept alive between two polls: all the time up to the keep-alive time K, the share K / T beyond. Then
every poll is an arrival too and costs b_r + c.
"""

import math

KEPT_ALIVE_S = 75.0
"""K: nginx's default keepalive_timeout."""

FRESH_SHARE = 0.95
"""p: the share of the time in which the freshness is to be kept."""


def poll_interval_s_at_freshness(freshness_s: float, reply_s: float) -> float | None:
    """Return the longest T that keeps *freshness_s*; None when a reply alone takes as long."""
    interval_s = (freshness_s - reply_s) / FRESH_SHARE
    return interval_s if interval_s > 0.0 else None


def break_even_interval_s(
    per_connection: float,
    per_delivery_per_s: float,
    per_request_per_s: float,
    deliveries_per_s: float,
) -> float:
    """Return T at which both cost the same; ∞ where pushing costs nothing."""
    pushed = per_connection + per_delivery_per_s * deliveries_per_s
    return per_request_per_s / pushed if pushed > 0.0 else math.inf


def held_share(poll_interval_s: float) -> float:
    """Return the share of the time in which a poller holds a connection."""
    return min(1.0, KEPT_ALIVE_S / poll_interval_s)


def poll_cost(per_request_per_s: float, arrival_cost: float, poll_interval_s: float) -> float:
    """Return the use of one poller of a resource that is spent, such as CPU."""
    connects = 1.0 if poll_interval_s > KEPT_ALIVE_S else 0.0
    return (per_request_per_s + connects * arrival_cost) / poll_interval_s
