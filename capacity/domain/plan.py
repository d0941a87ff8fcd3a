"""The answer: a capacity with its walls and doubts, or the reason why there is none."""

from dataclasses import dataclass

from capacity.domain.answers.sizing import Advice
from capacity.domain.caveats import FARTHEST_RATIO, Doubt
from capacity.domain.estimates import Estimate
from capacity.domain.load import LoadVector
from capacity.domain.observation import CutOffKind
from capacity.domain.resource_facts import COUNTED
from capacity.domain.resources import Limit, Resource

CONTAINED = Estimate(low=0.0, mid=0.0, high=0.0, confidence=0.0)
"""Cost of a component that was not told apart: it is contained in another one's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitCost:
    """Use of one resource as a plane over the load: baseline + marginal costs · load, all ≥ 0."""

    resource: Resource
    baseline: Estimate
    """Use without load (b0), in the resource's unit."""
    per_connection: Estimate
    """Added use of one open, idle connection."""
    per_delivery_per_s: Estimate
    """Added use of one delivery a second."""
    per_request_per_s: Estimate
    """Added use of one REST request a second."""
    per_handshake_per_s: Estimate = CONTAINED
    """Added use of one connection a second that takes the place of another."""
    separated: tuple[str, ...]
    """Load components whose costs the run could tell apart, by field name of LoadVector."""
    snapped: bool
    """A counted cost per connection was rounded to a small fraction that it met within noise."""
    residual_ratio: float
    """Root mean square of the residuals over the mean use: how well the plane fits."""
    windows: int
    """Plateau windows that the fit used."""

    def marginal_along(self, mix: LoadVector) -> float:
        """Return the added use of one more connection with its share of the mix (b·d)."""
        return (
            self.per_connection.mid
            + self.per_delivery_per_s.mid * mix.deliveries_per_s
            + self.per_request_per_s.mid * mix.requests_per_s
            + self.per_handshake_per_s.mid * mix.handshakes_per_s
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Wall:
    """One resource, taken alone: how many connections until it meets its limit."""

    resource: Resource
    limit: Limit
    cost: UnitCost
    ceiling: Estimate
    """Connections at the limit, along the plan's mix; without an upper end where the cost is so
    uncertain that it may be nothing."""
    used_at_baseline: float
    used_at_highest: float
    """Mean use on the plateau with most connections, in the resource's unit."""
    binding_probability: float
    """Share of the resampled fits in which this wall came first."""
    gain: float | None
    """Further connections until the next wall if this one were lifted; None for the last one, and
    where it is not known at how many the next one stands."""
    remedy: str
    """How to lift it, as one sentence with the exact setting where there is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneratorVerdict:
    """Whether the generator, rather than the target, set the limit of what was measured."""

    is_trustworthy: bool
    statement: str
    worst_lag_p95_s: float | None
    worst_cpu_ratio: float | None
    void_steps: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NoCeiling:
    """A resource that sets no ceiling, and why (unlimited, unknown, no measurable cost)."""

    resource: Resource
    reason: str
    limit: Limit | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MetLimit:
    """A limit that the run itself ran into: a censored observation of the capacity."""

    kind: CutOffKind
    resource: Resource
    """UNIDENTIFIED where the run does not tell what gave out."""
    held: int
    """Most connections that were held: a lower bound."""
    failed: int
    """Fewest connections at which the target failed: an upper bound; equal to `held` where the
    target itself said how many it admits."""
    statement: str
    """What was seen, with number and bound."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NextLevel:
    """What another level of the experiment would bring."""

    connections: int
    half_width_ratio: float
    """Expected half width of the capacity's interval, over the capacity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityPlan:
    """How many connections one instance of the target holds, and what gives out first."""

    run: str
    capacity: Estimate
    """Connections until the first wall, along the mix."""
    safe_capacity: int
    """One-sided 95 %: the number to size by."""
    binding: Resource
    mix: LoadVector
    """Load per connection that the capacity is quoted for."""
    ladder: tuple[Wall, ...]
    """Every wall, lowest ceiling first; ladder[0] is the binding one."""
    no_ceiling: tuple[NoCeiling, ...]
    highest_connections: int
    """Most connections on any plateau: how far the target was really taken."""
    extrapolation_ratio: float
    """capacity.mid / highest_connections."""
    condition_number: float
    """Of the scaled design: above 30 the costs cannot be told apart."""
    generator: GeneratorVerdict
    doubts: tuple[Doubt, ...]
    assumptions: tuple[Doubt, ...] = ()
    """What every plan of a target like this takes for granted (`is_assumed` of its row)."""
    widest_mix: LoadVector | None = None
    """Of each part of the load the most per connection that a plateau carried; None if not known."""
    fan: tuple[Estimate, ...] = ()
    """The capacity's intervals at 50, 80 and 90 %, narrowest first; empty in plans made before."""
    met: MetLimit | None = None
    """The lowest limit that the run itself met, along the mix; None if it met none."""
    next_level: NextLevel | None = None
    """What one more level would bring; None where it would bring nothing."""
    connections_per_client: int = 1
    """That one client holds; where several, the last of them is its private one."""
    advice: Advice | None = None
    """What follows for an operator; None in plans made without their run."""

    @property
    def clients(self) -> int:
        """Return how many whole clients the capacity is, each with its connections."""
        return int(self.capacity.mid) // self.connections_per_client

    @property
    def safe_clients(self) -> int:
        """Return how many whole clients the safe capacity is."""
        return self.safe_capacity // self.connections_per_client

    @property
    def is_beyond_reach(self) -> bool:
        """Tell whether a measured cost is carried further than it can be: no answer to size by.

        What is counted is carried any distance, once its slope is known.
        """
        is_counted = self.binding in COUNTED and self.binding is not Resource.UNIDENTIFIED
        return not is_counted and self.extrapolation_ratio > FARTHEST_RATIO


@dataclass(frozen=True, slots=True, kw_only=True)
class Excuse:
    """Why there is no plan, and what would make one possible."""

    run: str
    reason: str
    remedy: str
    generator: GeneratorVerdict | None
    doubts: tuple[Doubt, ...]
