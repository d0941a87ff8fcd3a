"""
What an operator decides from a plan: demand and host types go in, an advice comes out.

Every answer is either the answer or `Unanswered`, the reason why this run cannot give it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from capacity.domain.answers.storm_drill import DrillOutcome, Retry
from capacity.domain.estimates import Estimate
from capacity.domain.load import LoadVector
from capacity.domain.resources import Resource


@dataclass(frozen=True, slots=True, kw_only=True)
class Unanswered:
    """Why a question has no answer, with its number, and what would make one possible."""

    reason: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """Connections to be served, on a date, with the reserves that policy asks for."""

    name: str
    connections: float
    """At peak, over all instances."""
    as_of_at: float
    """When that peak is, or is expected."""
    size_for_at: float | None
    """When the instances must suffice; None: at the peak given."""
    growth_per_month: Estimate | None
    """Ratio by which the peak grows; None: not known."""
    deliveries_per_s: float | None
    """Of one connection; None: as measured."""
    requests_per_s: float | None
    """That come with one connection; None: as measured."""
    headroom_ratio: float
    """Share of the safe capacity that is kept free."""
    lost_instances: int
    zones: int
    lost_zones: int
    host: str | None
    """Host type of the present instances; None: as tested."""
    instances: int | None
    """Instances at present; None: not known."""
    retry: Retry
    handshake_timeout_s: float
    """A client gives a handshake up after it."""
    reconnect_window_s: float | None
    """Time over which clients spread when they come back; None: not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostType:
    """One type of machine that an instance could run on."""

    name: str
    cores: float
    core_speed_ratio: float
    """Speed of a core over that of a core of the tested host."""
    memory_bytes: float
    network_bytes_per_s: float | None
    """None: not known, and so no wall."""
    limits: Mapping[Resource, float]
    """Limits as configured on this type; what is absent is as measured."""
    price_per_month: float | None
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HostWall:
    """A wall of the plan, brought to another host type or mix."""

    resource: Resource
    limit: float
    """In the resource's unit; of cores: in cores of the tested host."""
    baseline: float
    marginal: float
    """Added use of one more connection with its share of the mix."""
    ceiling: float
    sigma: float
    """Standard deviation of ln(truth / ceiling)."""
    origin: str
    """Where the limit comes from: cores, memory, network, as given, as measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SizedHost:
    """How many instances of one host type a demand takes."""

    host: str
    safe_connections: int
    """One-sided 95 % capacity of one instance, before headroom."""
    usable_connections: int
    """What policy lets one instance carry."""
    binding: Resource
    instances: int
    survivors: int
    """Instances left after the losses that policy prepares for."""
    connections_at_peak: float
    """Of one instance, all of them up."""
    utilization_at_peak: float
    """Use over limit of the binding resource."""
    connections_after_loss: float
    utilization_after_loss: float
    price_per_month: float | None
    """Of all instances."""
    currency: str
    walls: tuple[HostWall, ...]
    """Lowest ceiling first."""

    @property
    def lost(self) -> int:
        return self.instances - self.survivors


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizing:
    """The instances that a demand takes, by host type."""

    demand: str
    connections: Estimate
    """Demand at the time sized for; sized by its upper end."""
    at: float
    mix: LoadVector
    hosts: tuple[SizedHost, ...]
    """Cheapest first, then those without a price; without any price fewest instances first."""
    unsized: Mapping[str, Unanswered]
    """Host types that cannot carry the load."""
    cheapest: str | None
    """None when no host type has a price."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrivalCost:
    """What one client costs while it connects and subscribes, beyond what it costs afterwards."""

    cpu_s: Mapping[Resource, Estimate]
    """Core-seconds by resource (CPU, event loop); the upper end is what to plan by."""
    arrivals: int
    ramps: int
    tested_per_s: float
    """Fastest ramp that the target took without a failed connection."""
    backlog: float | None
    """Smallest limit of the target's accept queue that was read."""
    admitted_per_s: float | None = None
    """As declared for one instance; None: nobody limits the rate."""
    admission_per_s: Estimate | None = None
    """As the ramps met it, of one instance; None: none was held back by what lets connections in."""
    memory_bytes: Estimate | None = None
    """Held for a client while it arrives, beyond what its connection keeps; None: nothing shows."""
    memory_held_s: float | None = None
    """For how long."""
    at_once: Estimate | None = None
    """Clients that fit into an instance's memory when they arrive within that time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StormCase:
    """Everybody who lost a connection comes back to the instances that are left."""

    event: str
    instances_up: int
    arrivals: float
    """For each of those instances."""
    connections_after: float
    """On each of them once everybody is back."""
    busiest: Resource | None
    """What arrivals wait for; None: the rate of admission, declared or met."""
    served_per_s: float
    """Arrivals that one instance can complete beside its load."""
    shortest_window_s: float | None
    """Width over which the arrivals must spread; None: they never fit."""
    arrivals_per_s: float | None
    """Of one instance in that window."""
    overflows: bool | None
    """At once they would not fit the accept queue; None: its limit was not read."""
    is_metastable: bool
    """With the clients' retries alone, the target would not recover by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Storm:
    """A mass reconnect to the instances of one host type."""

    host: str
    instances: int
    retry: str
    cases: tuple[StormCase, ...]
    window_s: float | None
    """Width that the demand asks for."""
    instances_for_window: int | None
    """Fewest that take the loss within that width; None: nothing asked, or none would."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PushAgainstPoll:
    """What holding a connection costs in one resource, against asking again and again."""

    resource: Resource
    push_idle: float
    """Use of one connection that receives nothing, in the resource's unit."""
    push_per_delivery_per_s: float
    poll_per_request_per_s: float
    interval_s: float | None
    """Polling less often than this is cheaper, at the mix's deliveries; None: pushing is free."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """Clients that one instance holds when all are pushed to, and when all poll."""

    deliveries_per_s: float
    freshness_s: float | None
    """Age that 95 % of the time is not exceeded; None: the same updates a second both ways."""
    poll_interval_s: float | None
    """What that freshness takes; None: no interval is short enough."""
    push_clients: float
    push_binding: Resource
    poll_clients: float | None
    poll_binding: Resource | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakEven:
    """When to push over WebSocket, and when to poll over REST."""

    host: str
    resources: tuple[PushAgainstPoll, ...]
    trades: tuple[Trade, ...]
    premise: Trade
    """Pure WebSocket against pure REST at the mix's deliveries."""
    price_per_month: float | None
    """Of one instance."""
    currency: str
    left_out: tuple[Resource, ...]
    """Walls whose costs the run did not tell apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExhaustionDate:
    """When demand meets what the present instances carry."""

    of: str
    connections: Estimate
    """What is used up."""
    early_at: float | None
    """With 10 % probability before; None: not within the horizon."""
    middle_at: float | None
    late_at: float | None
    """With 90 % probability before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exhaustion:
    demand: str
    host: str
    instances: int
    growth_per_month: Estimate
    dates: tuple[ExhaustionDate, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensitivity:
    """What becomes of the capacity when one wall moves."""

    resource: Resource
    limit_elasticity: float
    """Per cent of this wall's ceiling for one per cent of limit, L / (L − b₀)."""
    capacity_with_more_limit: float
    """Connections with 10 % more of this limit and everything else as it is."""
    capacity_with_less_cost: float
    """Connections with 10 % less cost per connection in this resource."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """All answers to one plan; None where no demand was given."""

    sizing: Sizing | Unanswered | None
    arrival_cost: ArrivalCost | Unanswered
    storm: Storm | Unanswered | None
    break_even: BreakEven | Unanswered
    exhaustion: Exhaustion | Unanswered | None
    sensitivities: tuple[Sensitivity, ...]
    demand: Demand | None = None
    """What was asked for, so that the same can be asked again; None in plans made before."""
    hosts: tuple[HostType, ...] = ()
    """The catalogue that came with it."""
    drills: tuple[DrillOutcome, ...] = ()
    """The storm drills of the run, as measured and as foretold."""
