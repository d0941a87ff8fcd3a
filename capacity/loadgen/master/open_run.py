"""A run that was found possible and is recorded: its steps, its workers, and where it stands."""

from locust.env import Environment

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from capacity.domain.load import LoadStep
from capacity.domain.observation import StepObservation
from capacity.loadgen.checks.generator_limits import most_actors
from capacity.loadgen.checks.planned.planned_load import whole_clients
from capacity.loadgen.checks.preflight import check
from capacity.loadgen.master.recorder import Recorder
from capacity.loadgen.master.steps.course import course_from
from capacity.loadgen.master.steps.forecasts import Forecasts
from capacity.loadgen.master.steps.step_results import StepResults
from capacity.loadgen.master.storm_drills import StormDrills
from capacity.loadgen.master.workers.assignments import instructions_of, watched_of
from capacity.loadgen.master.workers.check_in import LOCAL, check_in
from capacity.loadgen.master.workers.locust_users import UsersDue, fix_counts
from capacity.loadgen.master.workers.merged_counts import MergedCounts
from capacity.loadgen.master.workers.user_classes import UserClasses
from capacity.loadgen.master.workers.worker_pool import WorkerPool
from capacity.settings.profile import Profile
from capacity.settings.target import Target
from capacity.workload.profiles.profile import START, Position
from capacity.workload.profiles.search import Trial


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedRun:
    """What somebody wants to be run, before anything is known of whether it can be."""

    target: Target
    profile: Profile
    path: Path
    """Of the run directory."""
    workers: int
    user_classes: UserClasses | None = None
    """What its classes brought to the profile."""
    earlier: Sequence[Trial] = ()
    """Of a search that this one goes on from."""


class OpenRun:
    """What whoever shows a run may ask of it; its controller drives it."""

    def __init__(self, environment: Environment, asked: AskedRun) -> None:
        """Check everything and open the record. Raises CapacityError when the run cannot be."""
        target, profile = asked.target, whole_clients(asked.profile, asked.target)
        self.target, self.profile = target, profile
        preflight = check(target, profile, workers=check_in(environment, target))
        fixed = fix_counts(environment, most_actors(preflight, profile))
        self._users_due = UsersDue(fixed, profile.connections_per_user)
        self.course, self.preflight = course_from(preflight, profile, target.slo, asked.earlier)
        self.steps: list[LoadStep] = list(self.preflight.steps)
        self.position: Position = START
        self.recorder = Recorder(asked.path, target, profile, self.preflight, asked.workers)
        self._started_s = time.monotonic()
        self.pool = WorkerPool(
            environment, instructions_of(target, profile, preflight, asked.user_classes)
        )
        self.results = StepResults(self.pool, self.recorder, watched_of(profile, preflight))
        self.forecasts = Forecasts(preflight.declared, is_beside_load=LOCAL in self.pool.ids)
        self.drills = StormDrills(profile, preflight, self.pool, self.results, self.recorder)

    @property
    def open_connections(self) -> int:
        return self.pool.open_connections

    @property
    def open_private(self) -> int | None:
        """Count of them that are private; None where the target has none."""
        return self.pool.private_or_none

    @property
    def users(self) -> int:
        return self.pool.users

    @property
    def elapsed_s(self) -> float:
        return time.monotonic() - self._started_s

    @property
    def observations(self) -> list[StepObservation]:
        return self.results.observations

    @property
    def total_steps(self) -> int | None:
        """Return how many steps there are; of a climb nobody knows yet how many follow."""
        return None if self.course.is_careful else len(self.steps)

    @property
    def step(self) -> LoadStep:
        return self.steps[self.position.index]

    @property
    def counts(self) -> MergedCounts:
        return self.results.merged(self.position.index, self.position.phase)
