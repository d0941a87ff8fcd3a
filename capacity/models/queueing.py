"""
Waiting in line, by how busy the servers are.

* Chance to wait with c servers: Erlang's C formula (Erlang, 1917), from his B by recursion.
* Mean wait of M/M/c: W = S·C(c, a) / (c − a), a = λ·S the offered load.
* M/G/c after Sakasegawa (Ann. Inst. Stat. Math. 29, 1977):
  W ≈ S·(cₐ² + cₛ²) / 2 · ρ^(√(2·(c + 1)) − 1) / (c·(1 − ρ)); exact for M/M/1 and M/G/1.
* Processor sharing: R = S / (1 − ρ), whatever the law of service (Kleinrock, Queueing Systems II,
  1976, ch. 4).
* Fan-out: an update to K subscribers on one loop is a batch of K services. The share p of them is
  served after W + p·K·s, with W = ρ·K·s / (2·(1 − ρ)) for updates at random (Pollaczek & Khinchine,
  constant batches), W = 0 for updates on a regular beat as long as ρ < 1.
"""

import math


def chance_to_wait(servers: int, offered_load: float) -> float:
    """Return C(c, a); 1 from a = c on."""
    if offered_load >= servers:
        return 1.0
    blocked = 1.0
    for busy in range(1, servers + 1):
        blocked = offered_load * blocked / (busy + offered_load * blocked)
    busy_ratio = offered_load / servers
    return blocked / (1.0 - busy_ratio * (1.0 - blocked))


def mean_wait_s(servers: int, offered_load: float, service_s: float) -> float:
    """Return W of M/M/c; ∞ from a = c on."""
    if offered_load >= servers:
        return math.inf
    return service_s * chance_to_wait(servers, offered_load) / (servers - offered_load)


def approximate_wait_s(
    servers: int, busy_ratio: float, service_s: float, *, variability: float = 1.0
) -> float:
    """Return W of M/G/c after Sakasegawa; *variability* is (cₐ² + cₛ²) / 2. ∞ from ρ = 1 on."""
    if busy_ratio >= 1.0:
        return math.inf
    power = math.sqrt(2.0 * (servers + 1)) - 1.0
    return service_s * variability * math.pow(busy_ratio, power) / (servers * (1.0 - busy_ratio))


def shared_time_s(busy_ratio: float, service_s: float) -> float:
    """Return R of processor sharing; ∞ from ρ = 1 on."""
    return service_s / (1.0 - busy_ratio) if busy_ratio < 1.0 else math.inf


def fan_out_delay_s(
    subscribers: float,
    delivery_s: float,
    updates_per_s: float,
    *,
    share: float,
    is_regular: bool = False,
) -> float:
    """Return within which time the *share* of the subscribers has an update; ∞ from ρ = 1 on."""
    batch_s = subscribers * delivery_s
    busy_ratio = updates_per_s * batch_s
    if busy_ratio >= 1.0:
        return math.inf
    wait_s = 0.0 if is_regular else busy_ratio * batch_s / (2.0 * (1.0 - busy_ratio))
    return wait_s + share * batch_s
