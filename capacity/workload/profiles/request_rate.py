"""What connections send over WebSockets, and how long that takes where all of them share one pace.

Venues count the requests of an address, whatever connection they come over: those of public and private
connections, and of traders, who are sent theirs in their own time, so that the others have what they leave.
Answers to frames of the target and periodic heartbeats are left out: they are few, and what is late of them
ends a connection.
"""

import math
from dataclasses import dataclass, replace

from capacity.domain import units
from capacity.domain.load import LoadStep
from capacity.workload.dialects.dialect import Dialect
from capacity.workload.dialects.template import names
from capacity.workload.profiles.pacing import PACING_MARGIN, request_interval_s

SPARE_RATIO = 1.1
"""Of the time that requests take, to plan with: users begin and handshakes end some time after they are due."""

_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Requests:
    """Those of one connection."""

    opening: int
    """Before its subscriptions."""
    batch: int
    """Channels in one request; 0 where subscriptions are no requests."""

    def of_new(self, channels: int) -> int:
        """Return those of a connection that opens and follows so many *channels*."""
        return self.opening + self.of_change(channels)

    def of_change(self, channels: int) -> int:
        """Return those by which an open connection follows so many *channels* more, or less."""
        return math.ceil(abs(channels) / self.batch) if self.batch else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Privately:
    """The private connections of a run, beside its public ones."""

    dialect: Dialect
    channels: int
    """That each of them follows, in every step."""
    share: float
    """Of all connections."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRate:
    """The most requests of all connections together in a second, and those of a connection on average."""

    per_s: float
    dialect: str
    """Name of the one that says so."""
    public: Requests
    private: Requests | None = None
    private_channels: int = 0
    private_share: float = 0.0
    orders_per_s: float = 0.0
    """Of them, those of traders."""

    def beside(self, orders_per_s: float) -> "RequestRate":
        """Return the rate where traders send so many requests over WebSockets."""
        return replace(self, orders_per_s=orders_per_s)

    @property
    def left_per_s(self) -> float:
        """Return what traders leave."""
        return max(0.0, self.per_s - self.orders_per_s)

    def of_new(self, channels: int) -> float:
        """Return the requests of a connection that opens; a public one follows so many *channels*."""
        public = (1.0 - self.private_share) * self.public.of_new(channels)
        if self.private is None:
            return public
        return public + self.private_share * self.private.of_new(self.private_channels)

    def of_change(self, channels: int) -> float:
        """Return those by which an open connection follows so many *channels* more, or less: a public one."""
        return (1.0 - self.private_share) * self.public.of_change(channels)

    def seconds(self, requests: float) -> float:
        """Return how long so many take, a little less than allowed being sent (pacing.PACING_MARGIN)."""
        if not self.left_per_s:
            return math.inf if requests else 0.0
        return requests * PACING_MARGIN / self.left_per_s

    def planned_s(self, requests: float) -> float:
        """Return how long to give so many."""
        return SPARE_RATIO * self.seconds(requests)

    def most_added(self, channels: int, connects_per_s: float, timeout_s: float) -> float:
        """Return how many connections can open and subscribe while they open, and *timeout_s* more."""
        late_s = self.planned_s(self.of_new(channels)) - 1.0 / connects_per_s
        return timeout_s / late_s if late_s > 0.0 else math.inf

    def most_changed(self, channels: int, within_s: float) -> float:
        """Return how many open connections can follow so many *channels* more or less in that time."""
        each_s = self.planned_s(self.of_change(channels))
        return within_s / each_s if each_s else math.inf

    def per_s_for(self, requests: float, within_s: float) -> float:
        """Return a rate, rounded up to two digits, at which so many are sent in that time."""
        least = requests * SPARE_RATIO * PACING_MARGIN / within_s + self.orders_per_s
        digits = 10.0 ** (math.floor(math.log10(least)) - 1)
        return math.ceil(least / digits) * digits


def requests_of(dialect: Dialect) -> Requests:
    """Return what a connection sends in *dialect*."""
    steps = [
        step for step in dialect.opening if step.send is not None or step.send_text is not None
    ]
    greetings = [rule for rule in dialect.heartbeat if rule.when == "connect"]
    asked = dialect.subscribe
    is_each = asked is not None and "channels" not in names(asked.send)
    return Requests(
        opening=len(steps) + len(greetings),
        batch=0 if asked is None else 1 if is_each else asked.batch,
    )


def request_rate(dialect: Dialect, private: Privately | None = None) -> RequestRate | None:
    """Return the least that the dialects of a run say of the requests of all connections; None where none does."""
    dialects = [dialect] if private is None else [dialect, private.dialect]
    bounds = [
        (each.ws.total_requests_per_s, each.name)
        for each in dialects
        if each.ws.total_requests_per_s is not None
    ]
    if not bounds:
        return None
    per_s, name = min(bounds)
    rate = RequestRate(per_s=per_s, dialect=name, public=requests_of(dialect))
    if private is None:
        return rate
    return replace(
        rate,
        private=requests_of(private.dialect),
        private_channels=private.channels,
        private_share=private.share,
    )


def interval_alone_s(dialect: Dialect) -> float:
    """Return the time between two requests of a connection beside which there is no other; 0 at any pace."""
    rate = request_rate(dialect)
    return max(request_interval_s(dialect) or 0.0, 0.0 if rate is None else rate.seconds(1))


def too_slow(
    rate: RequestRate, before: LoadStep, step: LoadStep, followed: int, channels: int
) -> str | None:
    """Return why what *step* asks for after the one *before* takes longer than it has; None where it does not.

    A public connection *followed* so many channels, and is to follow *channels*.
    """
    bound = f"ws.total_requests_per_s {rate.per_s:g} of dialect {rate.dialect}"
    if rate.orders_per_s >= rate.per_s:
        return (
            f"{units.rate(rate.orders_per_s, 'requests')} of traders over WebSockets leave nothing of {bound};"
            " lower mix.orders_per_s_per_connection or the connections, have orders.over of the target file"
            " send them by rest, or set it to what the target allows"
        )
    if rate.orders_per_s:
        bound += f" less {rate.orders_per_s:g} of traders"
    opens_s = max(0, step.connections - before.connections) / step.connects_per_s
    added = max(0, step.connections - before.connections) * rate.of_new(channels)
    kept = min(before.connections, step.connections) * rate.of_change(channels - followed)
    replaced = step.churn_per_s * rate.of_new(channels)
    for key, given_s, opens_for_s, requests, what in (
        ("ramp_timeout_s", step.ramp_timeout_s, opens_s, added, "opening"),
        ("settle_s", step.settle_s, 0.0, kept, "following other channels"),
    ):
        needed_s, has_s = rate.planned_s(requests), given_s + opens_for_s
        if needed_s > has_s:
            others = (
                ""
                if not has_s
                else f", or ws.total_requests_per_s to {rate.per_s_for(requests, has_s):g} if the target allows it"
            )
            return (
                f"{units.counted(math.ceil(requests - _ROUNDING), 'request')} for {what} at {units.counted(step.connections, 'connection')}"
                f" take {units.duration(needed_s)} by {bound},"
                f" and have {units.duration(has_s)}; set {key} to {math.ceil(needed_s - opens_for_s)}{others}"
            )
    if rate.planned_s(replaced) > 1.0:
        return (
            f"to replace {step.churn_per_s:g} connections a second (churn_per_s_per_connection) takes"
            f" {replaced:g} requests a second of {bound};"
            f" lower the churn, or set it to {rate.per_s_for(replaced, 1.0):g} if the target allows it"
        )
    return None
