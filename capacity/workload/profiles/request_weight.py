"""What pollers ask for in a second, against the weight of requests that a target lets one address have."""

import math
from dataclasses import dataclass
from typing import Protocol

from capacity.domain import units
from capacity.workload.dialects.dialect import Dialect

_ROUNDING = 1.0 + 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightBudget:
    """The weight that all connections together may have in a second, and that of one poll."""

    per_s: float
    weight: float
    operation: str
    source: str
    """Key that says per_s, and whose."""

    @property
    def most_requests_per_s(self) -> float:
        return self.per_s / self.weight

    def most_connections(self, requests_per_s_each: float) -> int:
        """Return how many connections may poll so often each, one at least."""
        return max(1, math.floor(self.most_requests_per_s / requests_per_s_each * _ROUNDING))

    def excess(self, requests_per_s: float) -> str | None:
        """Return why so many polls are too many; None where they are not."""
        if requests_per_s <= self.most_requests_per_s * _ROUNDING:
            return None
        return (
            f"{units.rate(requests_per_s, 'requests')} of operation {self.operation},"
            f" {self.weight:g} each, weigh {requests_per_s * self.weight:g} a second, and {self.source} is"
            f" {self.per_s:g}: {units.rate(self.most_requests_per_s, 'requests')} of all connections"
            " together; lower mix.requests_per_s_per_connection or the connections, or set it to what the"
            " target allows"
        )


class Polls(Protocol):
    """What a target file says of its polls."""

    @property
    def operation(self) -> str: ...

    @property
    def total_weight_per_s(self) -> float | None: ...


def weight_budget(dialect: Dialect, polls: Polls | None, target: str) -> WeightBudget | None:
    """Return what bounds *polls* of *target*: its own total_weight_per_s, or else its dialect's.

    None where nothing is known to, or where they weigh nothing.
    """
    if polls is None:
        return None
    operation, per_s = polls.operation, polls.total_weight_per_s
    asked, http = dialect.rest.get(operation), dialect.http
    source = f"rest.total_weight_per_s of target {target}"
    if per_s is None and http is not None:
        per_s = http.total_weight_per_s
        source = f"http.total_weight_per_s of dialect {dialect.name}"
    if asked is None or per_s is None or not asked.weight:
        return None
    return WeightBudget(per_s=per_s, weight=asked.weight, operation=operation, source=source)
