"""What the workers of a run are told: made from target, profile and step."""

import math
import secrets
from collections.abc import Sequence

from capacity.domain.load import LoadStep
from capacity.loadgen.checks.preflight import Preflight
from capacity.loadgen.master.steps.freshness import Watched
from capacity.loadgen.master.workers.user_classes import UserClasses
from capacity.loadgen.protocol.instructions import RunInstructions, Stage
from capacity.settings import dialect as dialect_settings
from capacity.settings.profile import Profile, SafeProfile
from capacity.settings.target import Target
from capacity.workload.profiles.profile import Phase, Position

SEEN_IN_S = 6.0
"""Least time that a careful ramp takes. An agent samples once a second: what opens in two of them is
at its limit before anybody has seen it coming."""
MOST_FAILURES, MOST_FAILURES_RATIO = 20, 0.05
"""Attempts to connect that a careful run lets fail in a step, all workers together: the larger one."""


def instructions_of(
    target: Target, profile: Profile, preflight: Preflight, user_classes: UserClasses | None = None
) -> RunInstructions:
    """Return what the workers are told; *user_classes* says which of its mix is a class's own doing."""
    offset = preflight.clock_offset
    return RunInstructions(
        run=secrets.token_hex(8),
        target=target.model_dump(mode="json"),
        dialect=dialect_settings.dump(preflight.dialect),
        private_dialect=None
        if preflight.private_dialect is None
        else dialect_settings.dump(preflight.private_dialect),
        connections_per_user=profile.connections_per_user,
        arrivals=profile.arrivals,
        poll_interval_s=profile.poll_interval_s,
        freshness_poll_interval_s=profile.freshness.poll_interval_s if profile.freshness else None,
        order_interval_s=profile.order_interval_s,
        clock_offset_s=offset.offset_s if offset else 0.0,
        subscriptions_by_address=profile.mix.subscriptions_per_connection,
        slow_readers_ratio=profile.mix.slow_readers_ratio
        if user_classes is None
        else user_classes.slow_readers_ratio,
        has_slow_class=user_classes is not None and user_classes.has_slow_class,
        slow_read_bytes_per_s=profile.mix.slow_read_bytes_per_s,
        is_careful=is_careful(profile),
        most_memory_bytes=profile.worker_memory_mib * 2**20,
    )


def watched_of(profile: Profile, preflight: Preflight) -> Watched | None:
    """Return how the run watches one instrument; None where its profile asks for none."""
    if profile.freshness is None:
        return None
    offset = preflight.clock_offset
    return Watched(
        poll_interval_s=profile.freshness.poll_interval_s,
        objective_s=profile.freshness.objective_s,
        clock_offset_s=offset.offset_s if offset else 0.0,
    )


def is_careful(profile: Profile) -> bool:
    """Tell whether arrivals begin slowly: not where a storm of them is what is to be measured."""
    return isinstance(profile, SafeProfile) and profile.arrivals != "together"


def careful_rate_per_s(steps: Sequence[LoadStep], index: int) -> float:
    """Return how fast a careful run opens connections: what they bring is seen in several samples."""
    step = steps[index]
    added = step.connections - (steps[index - 1].connections if index else 0)
    return min(step.connects_per_s, added / SEEN_IN_S) if added > 0 else step.connects_per_s


def stage_of(position: Position, step: LoadStep, shares: int, *, is_careful: bool = False) -> Stage:
    """Return the part of one of *shares* workers in a phase of *step*."""
    most = max(MOST_FAILURES, math.floor(MOST_FAILURES_RATIO * step.connections))
    return Stage(
        index=position.index,
        phase=position.phase.value,
        subscriptions_per_connection=step.subscriptions_per_connection,
        requests_per_s=step.requests_per_s / shares,
        connects_per_s=step.connects_per_s / shares,
        churn_per_s=step.churn_per_s / shares,
        orders_per_s=step.orders_per_s / shares,
        most_failures=max(1, most // shares) if is_careful else None,
        hold_s=step.plateau_s if position.phase is Phase.PLATEAU else 0.0,
    )
