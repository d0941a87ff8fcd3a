"""A recorded run: everything that a plan and a report are made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from capacity.domain.answers.storm_drill import StormDrill
from capacity.domain.histogram import Histogram
from capacity.domain.load import LoadStep
from capacity.domain.observation import StepObservation
from capacity.domain.sample import AgentInfo, Sample
from capacity.domain.target import TargetSpec

LIMIT_CHANGED = "limit_changed"
"""Kind of the event that says that a limit was set anew during the run."""
LIMITS_UNREAD = "limits_unread"
"""Kind of the event that says that limits could not be read at the end; `since_s` is how old they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockOffset:
    """Agent's clock minus recorder's clock, in seconds, at the probe with the least round trip."""

    offset_s: float
    error_s: float
    """Half that round trip: the true offset lies within ± this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunManifest:
    """What was known before the first connection."""

    format_version: int
    product_version: str
    run: str
    """Name of the run and of its directory."""
    started_at: float
    target: TargetSpec
    """In run.json its `document`, as one level of keys."""
    profile: Mapping[str, Any]
    """The profile file as validated."""
    steps: tuple[LoadStep, ...]
    audited_bound: int | None
    """Connections that the limits readable at zero load allow; None if no limit could be read."""
    audited_by: str | None
    """The resource that sets the audited bound."""
    agent: AgentInfo | None
    """None when the run had no agent; then there are no samples and no plan."""
    clock_offset: ClockOffset | None
    generator: Mapping[str, Any]
    """Host, cores, workers, descriptor limit and versions of the generator."""
    same_host: bool
    """Generator and target share a host: their memory and CPU cannot be told apart host-wide."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEvent:
    """Something that happened at one moment: a phase, a lost worker, the end."""

    at: float
    kind: str
    """phase, design, trial, climb, eased, limit_changed, limits_unread, worker_lost, worker_joined, target_restarted, agent_lost, agent_back,
    agent_note, guard, newcomers, storm, storm_over, storm_skipped, problem, finished, aborted."""
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadPoint:
    """The load at one moment, as the generator saw it; one a second."""

    at: float
    """Epoch seconds of the recorder's clock."""
    index: int
    phase: str
    users: int
    open_connections: int
    deliveries_per_s: float
    requests_per_s: float
    failures: int
    """All failures since the run began."""
    open_private: int | None = None
    """Of the open connections, the private ones; None where the target has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """A run directory, loaded. `missing` says in words what a finished run would also have."""

    manifest: RunManifest
    steps: tuple[StepObservation, ...]
    samples: tuple[Sample, ...]
    histograms: Mapping[tuple[int, str], Histogram]
    """(step index, series) -> durations in microseconds."""
    events: tuple[RunEvent, ...]
    missing: tuple[str, ...]
    points: tuple[LoadPoint, ...] = ()
    """The load over time."""
    storms: tuple[StormDrill, ...] = ()
    """The drills after the last step."""

    @property
    def is_agent_lost(self) -> bool:
        """The agent was lost and has not come back."""
        told = [event.kind for event in self.events if event.kind in {"agent_lost", "agent_back"}]
        return told[-1:] == ["agent_lost"]
