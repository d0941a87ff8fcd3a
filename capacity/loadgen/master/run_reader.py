"""What a run's controller reads at one moment: its position, its workers and what its guards look at."""

from collections.abc import Sequence

from capacity.domain.load import LoadStep
from capacity.loadgen.master.guards.guard_watch import Moment
from capacity.loadgen.master.recorder import Recorder
from capacity.loadgen.master.run_events import RunReading
from capacity.loadgen.master.steps.ramp_progress import RampProgress
from capacity.loadgen.master.steps.step_results import StepResults
from capacity.loadgen.master.workers.worker_pool import WorkerPool
from capacity.settings.profile import Profile
from capacity.workload.profiles.profile import Phase, Position, is_way_down


class RunReader:
    """Reads one run."""

    def __init__(
        self,
        profile: Profile,
        pool: WorkerPool,
        results: StepResults,
        recorder: Recorder,
        progress: RampProgress | None,
        *,
        is_search: bool,
    ) -> None:
        """Take the *progress* of ramps that take as long as they get on; None where each has its time."""
        self._profile = profile
        self._pool = pool
        self._results = results
        self._recorder = recorder
        self._progress = progress
        self._is_search = is_search

    def read(self, steps: Sequence[LoadStep], position: Position, elapsed_s: float) -> RunReading:
        """Return what is to be seen at *position*, *elapsed_s* after the run began."""
        stalled_s = None
        if self._progress is not None and not is_way_down(steps, position.index):
            stalled_s = self._progress.stalled_s(elapsed_s)
        return RunReading(
            steps=steps,
            position=position,
            elapsed_s=elapsed_s,
            stalled_s=stalled_s,
            open_connections=self._pool.open_connections,
            connections_per_user=self._profile.connections_per_user,
            has_workers=bool(self._pool),
            is_search=self._is_search,
            loss=self._results.loss(steps[position.index]),
            moment=self._moment(steps, position),
            samples=self._recorder.samples,
        )

    def _moment(self, steps: Sequence[LoadStep], position: Position) -> Moment | None:
        """Return what the guards look at, None where nothing is guarded."""
        if self._is_search and self._profile.guards is None:
            return None
        index, phase = position.index, position.phase
        return Moment(
            merged=self._results.merged(index, phase),
            connections=self._results.connections_peak,
            admitted=self._results.admitted,
            is_loaded=index > 0 or steps[index].connections > 0,
            is_leaving=is_way_down(steps, index) and phase is not Phase.PLATEAU,
            lost_before=self._results.lost_before(position),
            refused_by=self._pool.refused_by,
        )
