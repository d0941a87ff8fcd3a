"""What a profile has a run ask its target for, against what the target lets one address ask for."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from capacity.domain.errors import PreflightError
from capacity.domain.load import LoadStep
from capacity.planning.safety.climb import Rules
from capacity.settings.profile import Profile
from capacity.settings.target import Target
from capacity.settings.values import operations_of
from capacity.workload.dialects.address import channels_of
from capacity.workload.dialects.dialect import Dialect
from capacity.workload.profiles.profile import Mix, Pace
from capacity.workload.profiles.request_rate import Privately, RequestRate, request_rate, too_slow
from capacity.workload.profiles.request_weight import Asked, Rates, WeightBudget, weight_budget


def privately(target: Target, dialect: Dialect | None) -> Privately | None:
    """Return the private connections of *target*, which speak *dialect*; None where it has none."""
    if dialect is None or target.private is None:
        return None
    own = target.privately()
    count = len(own.channels) * max(1, len(own.symbols))
    followed = channels_of(dialect, 0, own.channels, own.symbols, count)
    share = 1.0 / target.connections_per_client
    return Privately(dialect=dialect, channels=len(followed), share=share)


def orders_share(target: Target, way: str) -> float:
    """Return which part of the requests about orders go one *way*, websocket or rest."""
    over = () if target.orders is None else target.orders.over
    return over.count(way) / len(over) if over else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestBudgets:
    """Both budgets of one run; None is one that nothing bounds."""

    target: Target
    dialect: Dialect
    profile: Profile
    rate: RequestRate | None
    """Of requests over WebSockets."""
    weight: WeightBudget | None
    """Of requests by REST."""

    @classmethod
    def of(
        cls, target: Target, dialect: Dialect, private: Dialect | None, profile: Profile
    ) -> "RequestBudgets":
        """Return those of *target*, whose connections speak *dialect*, and its *private* ones theirs."""
        kind = privately(target, private)
        rest, own = target.rest, None if kind is None else target.privately()
        asked = Asked(
            target=target.name,
            total_weight_per_s=None if rest is None else rest.total_weight_per_s,
            polled=None if rest is None else rest.operation,
            orders_share=orders_share(target, "rest"),
            for_values=operations_of(target.values, dialect),
            for_private_values=()
            if own is None or private is None
            else operations_of(own.values, private),
            private_share=0.0 if kind is None else kind.share,
            watched_every_s=profile.freshness.poll_interval_s if profile.freshness else None,
        )
        return cls(
            target=target,
            dialect=dialect,
            profile=profile,
            rate=request_rate(dialect, kind),
            weight=weight_budget(asked, dialect, None if kind is None else private),
        )

    def check(self, changes: Iterable[tuple[LoadStep, LoadStep]]) -> None:
        """Raise PreflightError where all connections together may not ask for what a step needs in its time."""
        for before, step in changes:
            if (trouble := self._excess(before, step) or self._too_slow(before, step)) is not None:
                raise PreflightError(f"profile {self.profile.name}: {trouble}")

    def _excess(self, before: LoadStep, step: LoadStep) -> str | None:
        if self.weight is None:
            return None
        connects = step.connects_per_s if step.connections or before.connections else 0.0
        return self.weight.excess(
            Rates(
                polls=step.requests_per_s,
                orders=step.orders_per_s,
                logins=max(0.0, step.orders_per_s - before.orders_per_s),
                connects=connects,
            )
        )

    def _too_slow(self, before: LoadStep, step: LoadStep) -> str | None:
        rate = self._rate_at(step.orders_per_s)
        if rate is None:
            return None
        followed, channels = (
            self.channels(each.subscriptions_per_connection) for each in (before, step)
        )
        return too_slow(rate, before, step, followed, channels)

    def _rate_at(self, orders_per_s: float) -> RequestRate | None:
        """Return what traders leave of the rate who ask for so much both ways."""
        if self.rate is None:
            return None
        return self.rate.beside(orders_per_s * orders_share(self.target, "websocket"))

    def channels(self, subscriptions: int) -> int:
        """Return how many channels a connection follows that is to have so many *subscriptions*."""
        target, dialect = self.target, self.dialect
        count = subscriptions if self._can_idle else self.profile.mix.subscriptions_per_connection
        return len(channels_of(dialect, 0, target.channels, target.symbols, count))

    @property
    def _can_idle(self) -> bool:
        return self.dialect.subscribe is not None and self.dialect.unsubscribe is not None

    def within(self, rules: Rules, mix: Mix, pace: Pace) -> Rules:
        """Return *rules* whose climb asks for no more than it may."""
        return self._within_weight(self._within_rate(rules, mix, pace), mix, pace)

    def _within_weight(self, rules: Rules, mix: Mix, pace: Pace) -> Rules:
        if self.weight is None:
            return rules
        orders = mix.orders_per_s_per_connection
        each = Rates(
            polls=mix.requests_per_s_per_connection, orders=orders, logins=orders, constant=0.0
        )
        most = self.weight.most_connections(each, Rates(connects=pace.connects_per_s))
        by = f"{self.weight.source} ({self.weight.per_s:g})"
        return rules if most >= rules.most else replace(rules, most=int(most), most_by=by)

    def _within_rate(self, rules: Rules, mix: Mix, pace: Pace) -> Rules:
        if self.rate is None:
            return rules
        start = _highest(rules.start, lambda n: n <= self._most_added(n, mix, pace))
        rules = replace(rules, start=start)
        grown = 1.0 - 1.0 / rules.growth
        most = _highest(
            rules.most,
            lambda n: (
                n * grown <= self._most_added(n, mix, pace)
                and n <= self._most_changed(n, mix, pace)
            ),
        )
        if most >= rules.most:
            return rules
        by = (
            f"ws.total_requests_per_s {self.rate.per_s:g} of the dialect, with settle_s {pace.settle_s:g} and"
            f" ramp_timeout_s {pace.ramp_timeout_s:g} of the profile"
        )
        return replace(rules, most=most, most_by=by)

    def _most_added(self, connections: int, mix: Mix, pace: Pace) -> float:
        """Return how many connections of a level can open and subscribe in its time."""
        rate = self._rate_at(connections * mix.orders_per_s_per_connection)
        assert rate is not None
        if not rate.left_per_s:
            return 0.0
        channels = self.channels(mix.subscriptions_per_connection)
        return rate.most_added(channels, pace.connects_per_s, pace.ramp_timeout_s)

    def _most_changed(self, connections: int, mix: Mix, pace: Pace) -> float:
        """Return how many of a level can follow other channels in its time."""
        rate = self._rate_at(connections * mix.orders_per_s_per_connection)
        assert rate is not None
        if not self._can_idle:
            return math.inf
        channels = self.channels(mix.subscriptions_per_connection)
        return rate.most_changed(channels, pace.settle_s) if rate.left_per_s else 0.0


def _highest(most: int, fits: Callable[[int], bool]) -> int:
    """Return the highest number up to *most* that fits, where all below it do; 1 where none does."""
    low, high = 1, most + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low
