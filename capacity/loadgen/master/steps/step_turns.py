"""From one step to the next: the one that is over is summed up and recorded, the course says what follows."""

from collections.abc import Sequence
from dataclasses import asdict

from capacity.domain.load import LoadStep
from capacity.domain.observation import CutOff, StepObservation
from capacity.loadgen.master.guards.guard_watch import saturated
from capacity.loadgen.master.recorder import Recorder
from capacity.loadgen.master.steps.adaptive_steps import AdaptiveSteps
from capacity.loadgen.master.steps.forecasts import Forecasts
from capacity.loadgen.master.steps.limit_search import TRIAL
from capacity.loadgen.master.steps.step_results import StepResults
from capacity.loadgen.master.steps.step_sequence import StepSequence
from capacity.planning.safety.trip import Trip


class StepTurns:
    """Closes the steps of one run, each once and in their order, and asks for those behind them."""

    def __init__(
        self, results: StepResults, recorder: Recorder, course: StepSequence, forecasts: Forecasts
    ) -> None:
        self._results = results
        self._recorder = recorder
        self._course = course
        self._forecasts = forecasts

    def close(
        self,
        steps: Sequence[LoadStep],
        *,
        ended_at: float | None = None,
        cut_off: CutOff | None = None,
    ) -> StepObservation:
        """Close the first of *steps* that is open; *ended_at* in epoch seconds, by default now."""
        results = self._results
        step = steps[len(results.observations)]
        ended_at = ended_at or self._recorder.now()
        observation, last = results.close(step, ended_at=ended_at, cut_off=cut_off)
        if not self._course.is_careful:
            self._forecasts.make(observation, self._recorder.record())
        trial = self._course.after(observation, last) if cut_off is None else None
        if trial is not None:
            self._recorder.event(TRIAL, **trial, index=observation.index)
        return observation

    def cut_off(self, steps: Sequence[LoadStep], trip: Trip, *, is_ahead: bool) -> None:
        """Close the step that *trip* ended, if one is open; *is_ahead*: it was over before that."""
        if self._results.has_open_step:
            cut_off = self._results.cut_off(trip.kind, trip.statement, trip.resource)
            self.close(steps, cut_off=None if is_ahead else cut_off)

    def next_after(self, closed: StepObservation) -> tuple[LoadStep, ...] | Trip:
        """Return what to offer next, or why nothing more is to be: the step before was too much."""
        climb = self._course if isinstance(self._course, AdaptiveSteps) else None
        if climb is not None:
            if climb.short is not None:
                return saturated(climb.short)
            self._recorder.catch_up(closed.plateau_ended_at or closed.started_at)
        steps = self._course.next_steps(self._recorder.record())
        if climb is not None and (decided := climb.take_decision()):
            self._recorder.event("climb", **asdict(decided))
            self._forecasts.note(closed, climb.answer)
        return steps
