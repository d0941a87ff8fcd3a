"""One step, summed up: what was offered, what arrived, and whether it may be used."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from capacity.domain.caveats import NEAR_CPU_RATIO, NEAR_LAG_S
from capacity.domain.load import LoadStep, LoadVector
from capacity.domain.resources import Resource


class CutOffKind(StrEnum):
    """How a step ended that was not held to its end."""

    NOT_REACHED = "not_reached"
    """The target admitted no more connections."""
    REFUSED = "refused"
    """The target refused connections."""
    SILENT = "silent"
    """The target answered nobody any more, neither newcomers nor those it had."""
    LOST = "lost"
    """The target ended connections."""
    DIED = "died"
    """The target's process ended."""
    OBJECTIVE = "objective"
    """An objective of the target file was missed."""
    SATURATED = "saturated"
    """Less arrived than was due."""
    UNSERVED = "unserved"
    """Connections stayed open, and the target served them no more."""
    GUARDED = "guarded"
    """A resource passed the bound of a guard."""
    STOPPED = "stopped"
    """Somebody or something else ended the run; says nothing about the target."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CutOff:
    """Why a step was not held to its end, and how far it came."""

    kind: CutOffKind
    statement: str
    """What was seen, with number and bound."""
    connections: int
    """Open when it was cut off, before they were taken off."""
    resource: Resource | None = None
    """What gave out, where that is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantiles:
    """Quantiles of a duration in seconds over one plateau."""

    count: int
    p50_s: float
    p95_s: float
    p99_s: float
    max_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFigures:
    """What became of the requests of traders of one kind, over one way, on the plateau."""

    answered: int
    refused: int
    """The target said no."""
    unknown: int
    """Sent, and no answer tells whether they were done."""
    not_sent: int
    """No connection, or no login."""
    latency: Quantiles | None
    """Intended start to answer, of those answered or refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FreshnessFigures:
    """How fresh one instrument was for one client, as averages over time (models/operations/freshness)."""

    age_s: float
    """Age of information: since the newest change that the client held."""
    stale_share: float
    """Share of the time in which something newer existed."""
    staleness_s: float
    """0 while nothing newer existed, else the time since it did."""
    version_age: float
    """Changes that the client did not have."""
    peak_age_s: float
    """Mean age just before something newer arrived."""
    late_share: float | None
    """Share of the time in which the age was above the objective; None without one."""
    seconds: float
    """Time that this is the average of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FreshnessPair:
    """One instrument on the plateau, pushed to one client and polled by another at the same time."""

    changes_per_s: float
    """Published changes."""
    poll_interval_s: float
    reply_s: float
    """Median time from a poll to its reply."""
    pushed: FreshnessFigures | None
    polled: FreshnessFigures | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneratorHealth:
    """How hard the generator itself worked during the plateau; the worst worker counts."""

    workers: int
    lag_p95_s: float
    """How late a timer of the worker fired."""
    cpu_ratio: float
    """CPU of the busiest worker, in cores (1.0 is all a worker can use)."""
    descriptors_ratio: float
    """Descriptors in use over their limit, fullest worker."""
    queueing_p95_s: float | None = None
    """How long messages waited in a worker's sockets, on a sample of connections."""

    @property
    def is_near_limits(self) -> bool:
        """Whether it was so busy that what took long need not be the target's doing."""
        return self.lag_p95_s > NEAR_LAG_S or self.cpu_ratio > NEAR_CPU_RATIO


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateFigures:
    """What of a step's connections its private ones were: each of these is counted in the step as well."""

    connections: float | None
    """Open on the plateau; None without one, as the last three."""
    connects: int
    """Handshakes that succeeded, the login included, over the whole step."""
    failures: Mapping[str, int]
    """Reason -> count over the whole step."""
    lost: int
    """Ended by the target over the whole step."""
    updates: int | None
    """That came on the plateau."""
    pinged: int | None
    """That brought nothing for half of the plateau, and were asked whether they live."""
    half_open: int | None
    """Of them, those that did not answer, of a target that answers pings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepObservation:
    """A step after its plateau. Times are epoch seconds of the recorder's clock."""

    index: int
    step: LoadStep
    started_at: float
    plateau_started_at: float | None
    """None when the ramp never reached the asked connections."""
    plateau_ended_at: float | None
    load: LoadVector | None
    """Measured load on the plateau; None without a plateau."""
    users: int
    """Locust's count of running users, pollers included."""
    connections_peak: int
    """Most connections open at once during the whole step, ramp included."""
    connects: int
    """Handshakes that succeeded during the step."""
    failures: Mapping[str, int]
    """Reason -> count over the whole step: connect_refused, connect_timeout, connect_reset,
    handshake_rejected, subscribe_rejected, request_failed, request_throttled, ..."""
    lost: int
    """Open connections that the target ended, over the whole step."""
    gaps: int
    """Updates missing by sequence number on the plateau."""
    unmatched: int
    """Frames that the dialect has no rule for, on the plateau."""
    delivery_delay: Quantiles | None
    """Published to read by the generator; None where the dialect has no server timestamp."""
    request_latency: Quantiles | None
    """Intended start to reply."""
    handshake_time: Quantiles | None
    """TCP to subscription confirmed, over the whole step."""
    opening: Mapping[str, Quantiles] = field(default_factory=dict)
    """Phase of opening a connection -> its time over the whole step: dns, tcp, proxy, tls,
    upgrade, subscription (asked to confirmed), first_data (asked to the first update). A phase
    that is absent did not happen: an address needs no look-up."""
    request_opening: Mapping[str, Quantiles] = field(default_factory=dict)
    """Phase of opening a connection for polls -> its time over the whole step: dns, tcp, proxy,
    tls. Polls on a connection that is open already have none."""
    not_modified: int = 0
    """Requests answered "not modified" (304) on the plateau; none unless polls are conditional."""
    body_age: Quantiles | None = None
    """Written to read by the generator, of the bodies of requests; None where the dialect does not
    say when an answer was written."""
    orders: Mapping[str, OrderFigures] = field(default_factory=dict)
    """Requests of traders by kind and way, such as place_rest or cancel_websocket."""
    freshness: FreshnessPair | None = None
    """None where the profile does not ask for it, or nothing was heard."""
    generator: GeneratorHealth | None
    held_s: float = 0.0
    """Of the ramp, the time at its begin in which the generator itself let nobody connect, since pollers
    come first and users have to be there; 0 in older runs."""
    generator_opening: GeneratorHealth | None = None
    """Likewise while the step's connections were opened; None in older runs."""
    arrival_delay: Quantiles | None = None
    """Published to received by the generator's kernel, on a sample of connections: without the
    generator's own queue. None over TLS or without server timestamps."""
    void: str | None
    """Why the step must not be used (generator saturated, worker lost); None if it may."""
    cut_off: CutOff | None = None
    """None for a step that was held to its end, and in runs of versions before 0.2."""
    updates: int | None = None
    """Updates that came on the plateau; None in older runs."""
    unmatched_by: Mapping[str, int] = field(default_factory=dict)
    """Why frames on the plateau were not understood -> how many; empty in older runs."""
    numbered: int | None = None
    """Those of them before which a missing one would have been seen by its number or a checksum."""
    mismatched: int | None = None
    """Of the gaps, those that a checksum told which does not fit; None in older runs."""
    expired: int | None = None
    """Connections that the target ended at a set age, over the whole step; None in older runs."""
    lifetime_s: float | None = None
    """That age, as far as one was seen."""
    followers: int | None = None
    """Connections that were open for the whole plateau and followed a channel; None in older runs."""
    unserved: int | None = None
    """Of them, those without an update while others on the same channels had theirs."""
    pinged: int | None = None
    """Connections that brought nothing for half of the plateau, and were asked whether they live; all of them
    where one of the newest did not answer."""
    half_open: int | None = None
    """Of them, those that did not answer, of a target that answers pings."""
    private: PrivateFigures | None = None
    """None where the target file has no private connections."""
    delivery_rate_error_ratio: float | None = None
    """Standard error of the deliveries per second on the plateau, over their mean; None where fewer
    than two reports tell."""
