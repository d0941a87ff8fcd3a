"""What connections send over WebSockets, and how long that takes where all of them share one pace.

Venues count the requests of an address, whatever connection they come over. Answers to frames of the
target and periodic heartbeats are left out: they are few, and what is late of them ends a connection.
"""

import math
from dataclasses import dataclass

from capacity.domain import units
from capacity.domain.load import LoadStep
from capacity.workload.dialects.dialect import Dialect
from capacity.workload.dialects.template import names
from capacity.workload.profiles.pacing import PACING_MARGIN

SPARE_RATIO = 1.1
"""Of the time that requests take, to plan with: users begin and handshakes end some time after they are due."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRate:
    """The requests of one dialect, and the most of all connections together in a second."""

    per_s: float
    opening: int
    """Requests of a connection before its subscriptions."""
    batch: int
    """Channels in one request; 0 where subscriptions are no requests."""

    def of_new(self, channels: int) -> int:
        """Return the requests of a connection that opens and follows so many *channels*."""
        return self.opening + self.of_change(channels)

    def of_change(self, channels: int) -> int:
        """Return the requests by which an open connection follows so many *channels* more, or less."""
        return math.ceil(abs(channels) / self.batch) if self.batch else 0

    def seconds(self, requests: float) -> float:
        """Return how long so many take, a little less than allowed being sent (pacing.PACING_MARGIN)."""
        return requests * PACING_MARGIN / self.per_s

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
        least = requests * SPARE_RATIO * PACING_MARGIN / within_s
        digits = 10.0 ** (math.floor(math.log10(least)) - 1)
        return math.ceil(least / digits) * digits


def request_rate(dialect: Dialect) -> RequestRate | None:
    """Return what *dialect* says of the requests of all connections; None where it bounds none."""
    if dialect.ws.total_requests_per_s is None:
        return None
    steps = [
        step for step in dialect.opening if step.send is not None or step.send_text is not None
    ]
    greetings = [rule for rule in dialect.heartbeat if rule.when == "connect"]
    asked = dialect.subscribe
    is_each = asked is not None and "channels" not in names(asked.send)
    return RequestRate(
        per_s=dialect.ws.total_requests_per_s,
        opening=len(steps) + len(greetings),
        batch=0 if asked is None else 1 if is_each else asked.batch,
    )


def too_slow(
    dialect: Dialect, before: LoadStep, step: LoadStep, followed: int, channels: int
) -> str | None:
    """Return why what *step* asks for after the one *before* takes longer than it has; None where it does not.

    A connection *followed* so many channels, and is to follow *channels*.
    """
    rate = request_rate(dialect)
    if rate is None:
        return None
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
                f"{units.counted(requests, 'request')} for {what} at {units.counted(step.connections, 'connection')}"
                f" take {units.duration(needed_s)} by ws.total_requests_per_s {rate.per_s:g} of dialect {dialect.name},"
                f" and have {units.duration(has_s)}; set {key} to {math.ceil(needed_s - opens_for_s)}{others}"
            )
    if rate.planned_s(replaced) > 1.0:
        return (
            f"to replace {step.churn_per_s:g} connections a second (churn_per_s_per_connection) takes"
            f" {replaced:g} requests a second, and ws.total_requests_per_s of dialect {dialect.name} is {rate.per_s:g};"
            f" lower the churn, or set it to {rate.per_s_for(replaced, 1.0):g} if the target allows it"
        )
    return None
