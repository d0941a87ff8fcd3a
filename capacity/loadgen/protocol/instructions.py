"""What the master tells its workers: of the run once, and of each stage its share."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from capacity.workload.profiles.arrivals import Arrivals
from capacity.workload.profiles.profile import Phase
from capacity.workload.reconnect import Policy

BETWEEN = -1
"""Index of the stage between two steps that were not known before: what is counted under it is in
neither."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What goes to another process of this version, as a mapping of its fields."""

    def as_message(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_message(cls, message: Mapping[str, Any]) -> Self:
        """Return what another process of this version sent. Raises TypeError otherwise."""
        return cls(**message)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunInstructions(Message):
    """What a worker is told when a run begins; a profile says what each of them means."""

    target: dict[str, Any]
    dialect: dict[str, Any]
    private_dialect: dict[str, Any] | None = None
    """What the private connections speak; None where the target has none."""
    connections_per_user: int = 1
    arrivals: Arrivals = "even"
    poll_interval_s: float = 1.0
    clock_offset_s: float = 0.0
    subscriptions_by_address: int = 1
    slow_readers_ratio: float = 0.0
    slow_read_bytes_per_s: float = 0.0
    has_slow_class: bool = False
    """Users of some class all read slowly; the ratio is that among the others."""
    order_interval_s: float = 1.0
    freshness_poll_interval_s: float | None = None
    """Of the poll that is compared with what is pushed; None: nobody does."""
    workers: int = 1
    """That take part: they number their connections in turn."""
    is_careful: bool = False
    """Connections are opened slowly at first, and no faster than the target takes them in."""

    most_memory_bytes: int = 512 * 2**20
    """That a worker's connections may hold together of what is not complete."""
    run: str = ""
    """What tells this run from every other one; each report says it again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage(Message):
    """The worker's share of the load that is due now."""

    index: int
    phase: str
    subscriptions_per_connection: int
    requests_per_s: float
    connects_per_s: float
    churn_per_s: float = 0.0
    orders_per_s: float = 0.0
    most_failures: int | None = None
    """Attempts to connect that may fail in a step until no more are made; None: any number."""
    drill: dict[str, Any] | None = None
    """Who is cut when this stage begins, and how they come back (DrillInstructions); None: nobody."""
    run: str = ""
    """The run that it belongs to."""
    number: int = 0
    """Rises with every stage of a run: who has a later one has no use for it."""

    hold_s: float = 0.0
    """How long a plateau lasts; 0 in other phases."""

    @property
    def is_held(self) -> bool:
        """Whether none are being opened."""
        return self.phase != Phase.RAMP


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillInstructions(Message):
    """What a worker does in a storm drill."""

    share_ratio: float
    """Of its connections, that are cut."""
    policy: Policy
    base_s: float
    factor: float
    cap_s: float
