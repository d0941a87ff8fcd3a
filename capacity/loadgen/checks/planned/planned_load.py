"""The load that a profile means for one target, as far as it is known before the run."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from capacity.domain import units
from capacity.domain.errors import ConfigError, PreflightError
from capacity.domain.load import LoadStep
from capacity.domain.words import RESOURCES
from capacity.loadgen.checks.planned.request_budgets import RequestBudgets
from capacity.loadgen.checks.planned.scenario import check_subscriptions, sequence_steps
from capacity.planning.safety.audited_bound import AuditedBound
from capacity.planning.safety.climb import Rules, first_level
from capacity.settings.profile import BreakProfile, Profile, SafeProfile, SequenceProfile
from capacity.settings.target import Target
from capacity.workload.dialects.dialect import Dialect
from capacity.workload.profiles.experiment import Experiment, Factors, possible_mix
from capacity.workload.profiles.profile import (
    MOST_CHURN_RATIO,
    Mix,
    Pace,
    mixed_step,
    ramp_steps,
    whole_users,
)
from capacity.workload.profiles.request_weight import Rates
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


def course_of(
    target: Target,
    dialect: Dialect,
    profile: Profile,
    bound: AuditedBound | None,
    most_sockets: int | None = None,
    *,
    private: Dialect | None = None,
) -> Planned:
    """Return the steps of *profile* for a target whose limits admit *bound* connections.

    Of a search, those that it moves between: which ones it takes shows as it goes. Of an experiment,
    the first ones; it opens *most_sockets* at most, which the generator can. *private* is what private
    connections speak, if the target has any.
    Raises ConfigError where the target cannot do what the profile asks, and PreflightError when the
    profile needs a bound and there is none.
    """
    budgets = RequestBudgets.of(target, dialect, private, profile)
    _check_possible(target, dialect, profile, budgets)
    mix = _mix(target, profile)
    pace = Pace(
        connects_per_s=profile.connects_per_s,
        ramp_timeout_s=profile.ramp_timeout_s,
        settle_s=profile.settle_s,
        plateau_s=profile.plateau_s,
        connections_per_user=profile.connections_per_user,
    )
    if isinstance(profile, SafeProfile):
        rules = _within_churn(
            _rules(profile, bound, most_sockets, mix.sockets_per_connection), mix, pace
        )
        rules = budgets.within(rules, mix, pace)
        planned = _experiment(profile, dialect, mix, pace, rules)
        budgets.check(pairwise(planned.steps))
        return planned
    changes: Iterable[tuple[LoadStep, LoadStep]]
    if isinstance(profile, SequenceProfile):
        steps = sequence_steps(profile, mix, pace, can_poll=target.rest is not None)
        check_subscriptions(profile, dialect, steps)
        changes = pairwise(steps)
    elif isinstance(profile, BreakProfile):
        steps = tuple(mixed_step(level, mix, pace) for level in (profile.start, profile.limit))
        last = mixed_step(math.floor(profile.limit / profile.growth), mix, pace)
        changes = ((mixed_step(0, mix, pace), steps[0]), (last, steps[1]))
    else:
        steps = ramp_steps(levels=profile.levels, mix=mix, pace=pace)
        changes = pairwise(steps)
    _check_churn(profile, steps)
    budgets.check(changes)
    return Planned(
        steps=steps,
        most_connections=max(
            whole_users(step.connections, profile.connections_per_user) for step in steps
        ),
        most_requests_per_s=max(step.requests_per_s for step in steps),
        most_orders_per_s=max(step.orders_per_s for step in steps),
    )


def _check_possible(
    target: Target, dialect: Dialect, profile: Profile, budgets: RequestBudgets
) -> None:
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
    if getattr(profile, "storm", None) is not None:
        _check_storm(profile, budgets)


def _check_storm(profile: Profile, budgets: RequestBudgets) -> None:
    """Raise ConfigError where a storm would meet a pace of ours, or ask for more than it may."""
    instead = "leave storm out, or drill a target that does not count requests"
    if (rate := budgets.rate) is not None:
        raise ConfigError(
            f"profile {profile.name}: storm would measure how long our own requests wait, as dialect"
            f" {rate.dialect} sends {rate.per_s:g} of all connections a second (ws.total_requests_per_s);"
            f" {instead}"
        )
    weight = budgets.weight
    if weight is not None and weight.weight_per_s(Rates(connects=1.0, constant=0.0)):
        raise ConfigError(
            f"profile {profile.name}: storm would have all connections ask for their values at once, and"
            f" {weight.source} is {weight.per_s:g} for all requests of a run by REST; {instead}"
        )


def _check_churn(profile: Profile, steps: Sequence[LoadStep]) -> None:
    """Raise ConfigError where more connections are to be replaced than may be opened."""
    for index, step in enumerate(steps):
        if step.churn_per_s > MOST_CHURN_RATIO * step.connects_per_s:
            raise ConfigError(
                f"profile {profile.name}: step {units.step_number(index)} is to replace {step.churn_per_s:g} of its"
                f" {step.connections} connections a second (churn_per_s_per_connection), and"
                f" connects_per_s {step.connects_per_s:g} allows"
                f" {MOST_CHURN_RATIO * step.connects_per_s:g} ({units.share(MOST_CHURN_RATIO)} of it); set"
                f" connects_per_s to {math.ceil(step.churn_per_s / MOST_CHURN_RATIO)} or lower the churn"
            )


def _within_churn(rules: Rules, mix: Mix, pace: Pace) -> Rules:
    """Return *rules* whose climb ends where the mix replaces as many connections as may be opened."""
    if mix.churn_per_s_per_connection <= 0.0:
        return rules
    most = max(1, math.floor(pace.most_churn_per_s / mix.churn_per_s_per_connection))
    by = f"connects_per_s {pace.connects_per_s:g} of the profile, which its churn takes up there"
    return rules if most >= rules.most else replace(rules, most=most, most_by=by)


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
    highest = whole_users(
        min(rules.most, math.ceil(rules.start * rules.growth ** (rules.levels - 1))),
        profile.connections_per_user,
    )
    return Planned(
        steps=(baseline, *experiment.level(first_level(rules), [baseline])),
        most_connections=highest,
        most_requests_per_s=highest * mix.requests_per_s_per_connection,
        most_orders_per_s=highest * mix.orders_per_s_per_connection,
        experiment=experiment,
        rules=rules,
    )


def _rules(
    profile: SafeProfile, bound: AuditedBound | None, most_sockets: int | None, sockets: float
) -> Rules:
    if bound is not None:
        admitted, by = bound.connections, RESOURCES[bound.resource]
    elif profile.connections is not None:
        admitted, by = profile.connections, "connections in the profile"
    else:
        raise PreflightError(
            "no limit of the target is known that says how many connections it admits beside what it"
            " uses, so no safe load can be derived; run an agent on the target's host, declare"
            " limits.application_connections in the target file (of other limits, such as descriptors,"
            " an agent has to read the use), or set connections in the profile"
        )
    most = max(1, math.floor(admitted * profile.fraction / sockets))
    by = f"{units.share(profile.fraction)} of {by} ({units.count(admitted)})"
    if most_sockets is not None and math.floor(most_sockets / sockets) < most:
        most, by = max(1, math.floor(most_sockets / sockets)), "the load generator's own limits"
    if most > profile.connections_per_user:
        most -= most % profile.connections_per_user
    return Rules(
        start=profile.start,
        growth=profile.growth,
        fraction=profile.fraction,
        levels=profile.levels,
        longest_s=profile.longest_s,
        most=most,
        most_by=by,
    )


def whole_clients(profile: Profile, target: Target) -> Profile:
    """Return *profile* with users that hold the connections of whole clients of *target*."""
    each = target.connections_per_client
    per_user = math.ceil(profile.connections_per_user / each) * each
    return profile.model_copy(update={"connections_per_user": per_user})
