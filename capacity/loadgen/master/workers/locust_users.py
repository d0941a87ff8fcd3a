"""How many of Locust's users a step takes, and how fast they come and go."""

from locust.env import Environment

import math
from collections.abc import Mapping, Sequence

from capacity.domain.load import LoadStep
from capacity.workload.profiles.profile import is_way_down

SPAWNS_PER_S = 100.0
"""Locust's users are only greenlets that queue at the connect pacer, which sets the arrival rate."""
SPAWNS_PER_CONNECT = 2.0
"""They are there before their turn: Locust starts a second's users at once, chance hurries some."""

NUDGE_RATIO = 1e-3
"""By so much the rate differs for each newcomer: Locust does nothing while it is asked for the same."""


def subscribers_of(step: LoadStep, connections_per_user: int) -> int:
    return math.ceil(step.connections / connections_per_user)


def spawns_per_s(
    steps: Sequence[LoadStep], index: int, workers_heard: int, newcomers: int = 0
) -> float:
    """Return the rate at which Locust starts or stops users in a step."""
    step = steps[index]
    rate_per_s = max(step.connects_per_s * SPAWNS_PER_CONNECT, SPAWNS_PER_S)
    if is_way_down(steps, index):
        rate_per_s = step.connects_per_s  # Nobody queues to leave.
    # Changes when a newcomer is first heard: Locust then starts those of its users again that it
    # had started before the instructions were there. Also when another was lost at the same time.
    return rate_per_s * max(1, workers_heard) * (1 + NUDGE_RATIO * newcomers)


class UsersDue:
    """The users that Locust is asked for.

    Nothing else than before is asked for while a run ends, or while Locust would give users to a worker
    that has ended.
    """

    def __init__(self, fixed_users: int, connections_per_user: int) -> None:
        self._fixed_users = fixed_users
        self._connections_per_user = connections_per_user
        self._asked: tuple[int, float] | None = None

    def missing_s(self, steps: Sequence[LoadStep], index: int, users: int, workers: int) -> float:
        """Return how long Locust takes to start the fixed users that are not among the *users* there are."""
        missing = max(0, self._fixed_users - users)
        # Locust starts all that it was asked for at the rate of then, before it is asked again.
        asked_per_s = self._asked[1] if self._asked is not None else float("inf")
        return missing / min(asked_per_s, spawns_per_s(steps, index, workers))

    def of(
        self,
        steps: Sequence[LoadStep],
        index: int,
        workers_heard: int,
        newcomers: int,
        *,
        is_held: bool,
    ) -> tuple[int, float]:
        """Return Locust's users and spawn rate for a step; *is_held* keeps those of the call before."""
        if self._asked is None or not is_held:
            users = subscribers_of(steps[index], self._connections_per_user) + self._fixed_users
            self._asked = (users, spawns_per_s(steps, index, workers_heard, newcomers))
        return self._asked


def fix_counts(environment: Environment, most: Mapping[str, int]) -> int:
    """Have as many pollers and traders as the busiest step can take; return how many that are.

    *most* is how many keep up a rate of a stage, by its name, which their class has as `rate`.
    """
    fixed = 0
    for user_class in environment.user_classes:
        rate = getattr(user_class, "rate", None)
        if rate is not None and user_class.weight == 0:
            user_class.fixed_count = most.get(rate, 0)
            fixed += user_class.fixed_count
    # Locust cannot share users out to a class of no weight that has no fixed count either.
    environment.user_classes = [
        each for each in environment.user_classes if each.fixed_count or each.weight > 0
    ]
    return fixed
