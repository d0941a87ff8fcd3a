"""The load that a profile means for one target, as far as it is known before the run."""

import math
from dataclasses import dataclass
from typing import Protocol

from capacity.domain import units
from capacity.domain.errors import ConfigError, PreflightError
from capacity.domain.load import LoadStep
from capacity.domain.words import RESOURCES
from capacity.loadgen.checks.scenario import check_subscriptions, sequence_steps
from capacity.planning.safety.audited_bound import AuditedBound
from capacity.planning.safety.climb import Rules, first_level
from capacity.settings.profile import BreakProfile, Profile, SafeProfile, SequenceProfile
from capacity.settings.target import Target
from capacity.workload.dialects.dialect import Dialect
from capacity.workload.profiles.experiment import Experiment, Factors, possible_mix
from capacity.workload.profiles.profile import Mix, Pace, mixed_step, ramp_steps
from capacity.workload.versions import versioned_operation


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """The load that a profile means for one target."""

    steps: tuple[LoadStep, ...]
    most_connections: int
    """Of any step that may follow."""
    most_requests_per_s: float
    most_orders_per_s: float
    experiment: Experiment | None = None
    rules: Rules | None = None


class BusiestStep(Protocol):
    """What is known of the busiest step that may follow."""

    @property
    def most_requests_per_s(self) -> float: ...

    @property
    def most_orders_per_s(self) -> float: ...


def course_of(
    target: Target,
    dialect: Dialect,
    profile: Profile,
    bound: AuditedBound | None,
    room: int | None = None,
) -> Planned:
    """Return the steps of *profile* for a target whose limits admit *bound* connections.

    Of a search, those that it moves between: which ones it takes shows as it goes. Of an experiment,
    the first ones; it opens no more sockets than the generator has *room* for.
    Raises ConfigError where the target cannot do what the profile asks, and PreflightError when the
    profile needs a bound and there is none.
    """
    _check_possible(target, dialect, profile)
    mix = _mix(target, profile)
    pace = Pace(
        connects_per_s=profile.connects_per_s,
        ramp_timeout_s=profile.ramp_timeout_s,
        settle_s=profile.settle_s,
        plateau_s=profile.plateau_s,
    )
    if isinstance(profile, SafeProfile):
        rules = _rules(profile, bound, room, mix.sockets_per_connection)
        return _experiment(profile, dialect, mix, pace, rules)
    if isinstance(profile, SequenceProfile):
        steps = sequence_steps(profile, mix, pace, can_poll=target.rest is not None)
        check_subscriptions(profile, dialect, steps)
    elif isinstance(profile, BreakProfile):
        steps = tuple(mixed_step(level, mix, pace) for level in (profile.start, profile.limit))
    else:
        steps = ramp_steps(levels=profile.levels, mix=mix, pace=pace)
    return Planned(
        steps=steps,
        most_connections=max(step.connections for step in steps),
        most_requests_per_s=max(step.requests_per_s for step in steps),
        most_orders_per_s=max(step.orders_per_s for step in steps),
    )


def _check_possible(target: Target, dialect: Dialect, profile: Profile) -> None:
    if profile.mix.orders_per_s_per_connection and target.orders is None:
        raise ConfigError(
            f"profile {profile.name}: mix.orders_per_s_per_connection is"
            f" {profile.mix.orders_per_s_per_connection:g}, and target {target.name} has no orders;"
            " describe them in the target file, or set it to 0"
        )
    if profile.freshness is not None and versioned_operation(dialect) is None:
        raise ConfigError(
            f"profile {profile.name}: freshness needs an operation in rest of dialect {dialect.name}"
            " with channel and version; add them, or leave freshness out"
        )


def _mix(target: Target, profile: Profile) -> Mix:
    return possible_mix(
        Mix(
            subscriptions_per_connection=profile.mix.subscriptions_per_connection,
            requests_per_s_per_connection=profile.mix.requests_per_s_per_connection,
            poll_interval_s=profile.poll_interval_s,
            churn_per_s_per_connection=profile.mix.churn_per_s_per_connection,
            slow_readers_ratio=profile.mix.slow_readers_ratio,
            orders_per_s_per_connection=profile.mix.orders_per_s_per_connection,
            order_interval_s=profile.order_interval_s,
        ),
        can_poll=target.rest is not None,
    )


def _experiment(
    profile: SafeProfile, dialect: Dialect, mix: Mix, pace: Pace, rules: Rules
) -> Planned:
    experiment = Experiment(
        mix=mix,
        pace=pace,
        factors=Factors(
            can_idle=mix.subscriptions_per_connection > 0
            and dialect.subscribe is not None
            and dialect.unsubscribe is not None,
            can_poll=mix.requests_per_s_per_connection > 0.0,
            churn_per_s_per_connection=profile.churn_per_s_per_connection,
        ),
        steps_per_level=profile.steps_per_level,
    )
    baseline = experiment.baseline()
    highest = min(rules.most, math.ceil(rules.start * rules.growth ** (rules.levels - 1)))
    return Planned(
        steps=(baseline, *experiment.level(first_level(rules), [baseline])),
        most_connections=highest,
        most_requests_per_s=highest * mix.requests_per_s_per_connection,
        most_orders_per_s=highest * mix.orders_per_s_per_connection,
        experiment=experiment,
        rules=rules,
    )


def _rules(
    profile: SafeProfile, bound: AuditedBound | None, room: int | None, sockets: float
) -> Rules:
    if bound is not None:
        admitted, by = bound.connections, RESOURCES[bound.resource]
    elif profile.connections is not None:
        admitted, by = profile.connections, "connections in the profile"
    else:
        raise PreflightError(
            "no limit of the target is known, so no safe load can be derived; run an agent on the "
            "target's host, declare limits.application_connections in the "
            "target file, or set connections in the profile"
        )
    most = max(1, math.floor(admitted * profile.fraction / sockets))
    by = f"{units.share(profile.fraction)} of {by} ({units.count(admitted)})"
    if room is not None and math.floor(room / sockets) < most:
        most, by = max(1, math.floor(room / sockets)), "the load generator's own limits"
    return Rules(
        start=profile.start,
        growth=profile.growth,
        fraction=profile.fraction,
        levels=profile.levels,
        longest_s=profile.longest_s,
        most=most,
        most_by=by,
    )


def most_actors(planned: BusiestStep, profile: Profile) -> dict[str, int]:
    """Return how many pollers and traders the busiest step takes, by the rate that they keep up.

    Each has a socket of its own.
    """
    return {
        "requests_per_s": math.ceil(planned.most_requests_per_s * profile.poll_interval_s),
        "orders_per_s": math.ceil(planned.most_orders_per_s * profile.order_interval_s),
    }
