"""A reconnect storm that was really brought about: a share of the clients is cut and comes back."""

from collections.abc import Mapping
from dataclasses import dataclass

from capacity.domain.estimates import Estimate
from capacity.domain.observation import Quantiles
from capacity.domain.resources import Resource

RESTORED_SHARES = (0.50, 0.95, 0.99)
"""Of the clients that were cut, whose return is told."""
UPGRADED = ""
"""Outcome of an attempt that the target let in; any other is the reason why it did not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """When clients that failed dial again."""

    policy: str
    waits_s: tuple[tuple[float, float], ...]
    """Attempt -> shortest and longest wait before it; the last one holds for all further ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DialAttempt:
    """One attempt to come back; times in seconds since the cut."""

    began_s: float
    ended_s: float
    """When the answer had arrived, by the kernel's clock where it stamps."""
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StormDrill:
    """What one drill brought, as it is recorded. Times `_at` are of the recorder's clock."""

    number: int
    began_at: float
    """When the clients were cut."""
    ended_at: float
    habit: Retry
    """How the clients came back; the first wait is the one before the first attempt."""
    connections: int
    """Open before the cut."""
    cut: int
    handshake_timeout_s: float
    longest_s: float
    """After which a drill ends, whoever is still missing."""
    attempts: tuple[DialAttempt, ...]
    restored_s: tuple[float, ...]
    """Since the cut, of each client that was served again: its first update came, or its handshake
    was done where it follows nothing."""
    delay_before: Quantiles | None
    """Delivery delay of all clients, before the cut."""
    delay_during: Quantiles | None
    """Of those that stayed."""
    latency_before: Quantiles | None
    """Of requests."""
    latency_during: Quantiles | None
    stayed_lost: int
    """Connections that the target ended of clients that had not been cut."""
    lag_p95_s: float | None
    """How late timers of the generator fired meanwhile."""
    signs: tuple[str, ...] = ()
    """Distress of the target that came with the drill and did not end it, in words."""
    aborted: str | None = None
    """Why it was ended before its time; None where it was not."""
    left_out: int = 0
    """Attempts beyond those that a record keeps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdmissionRate:
    """What lets connections in, as seen while some waited for it."""

    per_s: float
    burst: int
    """That come through at once after a rest."""
    seen: int
    """Connections that waited, or were refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoredTime:
    """When a share of the clients was served again, seconds since the cut."""

    share_ratio: float
    measured_s: float | None
    """None where so many never were."""
    foretold_s: Estimate | None
    """As the plan from the steps before the drill has it; None without such, or if never."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillOutcome:
    """A drill beside what the plan had foretold of it."""

    number: int
    policy: str
    """Of the clients that came back."""
    connections: int
    cut: int
    restored: int
    """Of those that were cut."""
    longest_s: float
    times: tuple[RestoredTime, ...]
    served_per_s: float | None
    """Handshakes a second that were foretold; None where nothing was known of them."""
    bound_by: Resource | None
    """What they were to run out of; None: the rate of admission, or not known."""
    why_not_foretold: str | None
    admission: AdmissionRate | None
    """None where too few waited."""
    refused: Mapping[str, int]
    """Attempts that failed, by reason."""
    overflows: float | None
    """Connects that the target's listening sockets dropped; None where that is not read."""
    peaks: Mapping[Resource, tuple[float, float]]
    """Use just before the cut, and most during the drill, in the resource's unit."""
    delay_before: Quantiles | None
    delay_during: Quantiles | None
    latency_before: Quantiles | None
    latency_during: Quantiles | None
    stayed_lost: int
    signs: tuple[str, ...]
    aborted: str | None
    is_of_generator: bool
    """The generator held the clients up itself: times are upper bounds."""
