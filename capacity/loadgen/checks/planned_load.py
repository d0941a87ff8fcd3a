"""The load that a profile means for one target, as far as it is known before the run."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from capacity.domain import units
from capacity.domain.errors import ConfigError, PreflightError
from capacity.domain.load import LoadStep
from capacity.domain.words import RESOURCES
from capacity.loadgen.checks.scenario import check_subscriptions, sequence_steps
from capacity.planning.safety.audited_bound import AuditedBound
from capacity.planning.safety.climb import Rules, first_level
from capacity.settings.profile import BreakProfile, Profile, SafeProfile, SequenceProfile
from capacity.settings.target import Target
from capacity.workload.dialects.address import channels_of
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
from capacity.workload.profiles.request_rate import request_rate, too_slow
from capacity.workload.profiles.request_weight import weight_budget
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
) -> Planned:
    """Return the steps of *profile* for a target whose limits admit *bound* connections.

    Of a search, those that it moves between: which ones it takes shows as it goes. Of an experiment,
    the first ones; it opens *most_sockets* at most, which the generator can.
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
        connections_per_user=profile.connections_per_user,
    )
    if isinstance(profile, SafeProfile):
        rules = _within_churn(
            _rules(profile, bound, most_sockets, mix.sockets_per_connection), mix, pace
        )
        channels = _channels(target, dialect, profile, mix.subscriptions_per_connection)
        rules = _within_requests(rules, dialect, channels, pace)
        rules = _within_weight(rules, target, dialect, mix)
        planned = _experiment(profile, dialect, mix, pace, rules)
        _check_requests(
            target, dialect, profile, pairwise(planned.steps), planned.most_requests_per_s
        )
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
    most_requests_per_s = max(step.requests_per_s for step in steps)
    _check_requests(target, dialect, profile, changes, most_requests_per_s)
    return Planned(
        steps=steps,
        most_connections=max(
            whole_users(step.connections, profile.connections_per_user) for step in steps
        ),
        most_requests_per_s=most_requests_per_s,
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
    if getattr(profile, "storm", None) is not None and dialect.ws.total_requests_per_s is not None:
        raise ConfigError(
            f"profile {profile.name}: storm would measure how long our own requests wait, as dialect"
            f" {dialect.name} sends {dialect.ws.total_requests_per_s:g} of all connections a second"
            " (ws.total_requests_per_s); leave storm out, or drill a target that does not count requests"
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


def _check_requests(
    target: Target,
    dialect: Dialect,
    profile: Profile,
    changes: Iterable[tuple[LoadStep, LoadStep]],
    most_polls_per_s: float,
) -> None:
    """Raise ConfigError where the dialect lets all connections together not ask for what a step needs in its time."""
    budget = weight_budget(dialect, target.rest, target.name)
    if budget is not None and (excess := budget.excess(most_polls_per_s)) is not None:
        raise ConfigError(f"profile {profile.name}: {excess}")
    for before, step in changes:
        counts = [
            _channels(target, dialect, profile, each.subscriptions_per_connection)
            for each in (before, step)
        ]
        trouble = too_slow(dialect, before, step, *counts)
        if trouble is not None:
            raise ConfigError(f"profile {profile.name}: {trouble}")


def _channels(target: Target, dialect: Dialect, profile: Profile, subscriptions: int) -> int:
    """Return how many channels a connection follows that is to have so many *subscriptions*."""
    is_told_later = dialect.subscribe is not None and dialect.unsubscribe is not None
    count = subscriptions if is_told_later else profile.mix.subscriptions_per_connection
    return len(channels_of(dialect, 0, target.channels, target.symbols, count))


def _within_weight(rules: Rules, target: Target, dialect: Dialect, mix: Mix) -> Rules:
    """Return *rules* whose climb ends where its polls have all the weight that they may."""
    budget = weight_budget(dialect, target.rest, target.name)
    if budget is None or mix.requests_per_s_per_connection <= 0.0:
        return rules
    most = budget.most_connections(mix.requests_per_s_per_connection)
    by = f"{budget.source} ({budget.per_s:g})"
    return rules if most >= rules.most else replace(rules, most=most, most_by=by)


def _within_requests(rules: Rules, dialect: Dialect, channels: int, pace: Pace) -> Rules:
    """Return *rules* whose climb asks for no more at a time than the dialect lets all connections together."""
    rate = request_rate(dialect)
    if rate is None:
        return rules
    can_idle = dialect.subscribe is not None and dialect.unsubscribe is not None
    added = rate.most_added(channels, pace.connects_per_s, pace.ramp_timeout_s)
    most = added / (1.0 - 1.0 / rules.growth)
    if can_idle:
        most = min(most, rate.most_changed(channels, pace.settle_s))
    rules = replace(rules, start=max(1, math.floor(min(rules.start, added))))
    if most >= rules.most:
        return rules
    by = (
        f"ws.total_requests_per_s {rate.per_s:g} of the dialect, with settle_s {pace.settle_s:g} and"
        f" ramp_timeout_s {pace.ramp_timeout_s:g} of the profile"
    )
    return replace(rules, most=max(1, math.floor(most)), most_by=by)


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
