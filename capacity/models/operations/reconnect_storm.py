"""
A reconnect storm: M clients come back to an instance that completes μ handshakes a second.

* Of n instances with N connections k are lost: M = k·N / (n·(n − k)) for each survivor.
* μ = (L − b₀ − b·d·C') / c with C' the connections afterwards and c the CPU seconds of an arrival:
  what the load leaves of the limit. Spread evenly over a window W the queue stays short for
  M / W ≤ ρ·μ, so W ≥ M / (ρ·μ), with ρ = 0.7: beyond it the wait of a queue with random arrivals,
  ρ / (2·(1 − ρ)) service times (Pollaczek & Khinchine, constant service), grows steeply.
* Faster than μ the queue grows, and a client waits longer than the handshake's time-out T from
  t₁ = μ·T / (M/W − μ) on (0 for all at once; never if M ≤ μ·(W + T)). Whoever waits that long leaves,
  but his request stays queued and is served for nobody. The first who left come back at t₁ + T + d,
  behind M / μ − (t₁ + T + d) of stale work; when that too is longer than T, M ≥ μ·(t₁ + 2·T + d),
  nobody is ever served in time again: the overload outlives its cause (metastable failure: Bronson
  et al., HotOS 2021). The accept queue is no help: an event loop empties it into one of its own.
"""

BUSY_RATIO = 0.7
"""ρ: the share of what the load leaves that arrivals may take."""


def arrivals_after_loss(connections: float, instances: int, survivors: int) -> float:
    """Return M, the clients that each survivor must take over."""
    return connections / survivors - connections / instances


def served_per_s(spare_cores: float, arrival_cost_s: float) -> float:
    """Return μ; 0 when the load leaves nothing."""
    return max(0.0, spare_cores) / arrival_cost_s


def shortest_window_s(arrivals: float, served_per_s: float) -> float | None:
    """Return W; None when it would never be wide enough."""
    return arrivals / (BUSY_RATIO * served_per_s) if served_per_s > 0.0 else None


def is_metastable(
    arrivals: float,
    served_per_s: float,
    *,
    timeout_s: float,
    wait_s: float,
    spread_s: float,
) -> bool:
    """Tell whether *arrivals* within *spread_s* overload the instance for good.

    *wait_s* is d, the mean wait before a late attempt.
    """
    queued = arrivals - served_per_s * spread_s
    if queued <= served_per_s * timeout_s:
        return False
    first_late_s = served_per_s * timeout_s * spread_s / queued
    return arrivals >= served_per_s * (first_late_s + 2.0 * timeout_s + wait_s)
