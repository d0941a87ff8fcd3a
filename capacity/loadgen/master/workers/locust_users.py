"""How many of Locust's users a step takes, and how fast they come and go."""

from locust.env import Environment

import math
from collections.abc import Sequence

from capacity.domain.load import LoadStep
from capacity.workload.profiles.profile import is_way_down

SPAWNS_PER_S = 100.0
"""Locust's users are only greenlets that queue at the connect pacer, which sets the arrival rate."""
SPAWNS_PER_CONNECT = 2.0
"""They are there before their turn: Locust starts a second's users at once, chance hurries some."""


def subscribers_of(step: LoadStep, connections_per_user: int) -> int:
    return math.ceil(step.connections / connections_per_user)


def spawns_per_s(steps: Sequence[LoadStep], index: int, workers_heard: int) -> float:
    """Return the rate at which Locust starts or stops users in a step."""
    step = steps[index]
    rate_per_s = max(step.connects_per_s * SPAWNS_PER_CONNECT, SPAWNS_PER_S)
    if is_way_down(steps, index):
        rate_per_s = step.connects_per_s  # Nobody queues to leave.
    # Changes when a newcomer is first heard: Locust then starts those of its users again that it
    # had started before the orders were there.
    return rate_per_s * max(1, workers_heard)


def fix_poller_count(
    environment: Environment, most_requests_per_s: float, poll_interval_s: float
) -> int:
    """Have as many pollers as the busiest step can take; return how many that are."""
    count = math.ceil(most_requests_per_s * poll_interval_s)
    for user_class in environment.user_classes:
        if user_class.fixed_count or user_class.weight == 0:
            user_class.fixed_count = count
            return count
    return 0
