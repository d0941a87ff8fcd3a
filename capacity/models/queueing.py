"""
Waiting in line, by how busy the servers are.

* Mean wait of M/M/c after Sakasegawa (Ann. Inst. Stat. Math. 29, 1977):
  W ≈ S·ρ^(√(2·(c + 1)) − 1) / (c·(1 − ρ)); exact for M/M/1.
* Processor sharing: R = S / (1 − ρ), whatever the law of service (Kleinrock, Queueing Systems II,
  1976, ch. 4).
* Fan-out: an update to K subscribers on one loop is a batch of K services. The share p of them is
  served after W + p·K·s, with W = ρ·K·s / (2·(1 − ρ)) for updates at random (Pollaczek & Khinchine,
  constant batches).
"""

import math


def approximate_wait_s(servers: int, busy_ratio: float, service_s: float) -> float:
    """Return W of M/M/c after Sakasegawa; ∞ from ρ = 1 on."""
    if busy_ratio >= 1.0:
        return math.inf
    power = math.sqrt(2.0 * (servers + 1)) - 1.0
    return service_s * math.pow(busy_ratio, power) / (servers * (1.0 - busy_ratio))


def shared_time_s(busy_ratio: float, service_s: float) -> float:
    """Return R of processor sharing; ∞ from ρ = 1 on."""
    return service_s / (1.0 - busy_ratio) if busy_ratio < 1.0 else math.inf


def fan_out_delay_s(
    subscribers: float, delivery_s: float, updates_per_s: float, *, share: float
) -> float:
    """Return within which time the *share* of the subscribers has an update; ∞ from ρ = 1 on."""
    batch_s = subscribers * delivery_s
    busy_ratio = updates_per_s * batch_s
    if busy_ratio >= 1.0:
        return math.inf
    return busy_ratio * batch_s / (2.0 * (1.0 - busy_ratio)) + share * batch_s
