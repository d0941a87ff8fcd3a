"""Which step follows: those of a list, those that a search tries, those that an experiment climbs."""

from typing import Any, Protocol

from capacity.domain.load import LoadStep
from capacity.domain.observation import StepObservation
from capacity.loadgen.master.run_endings import Ending
from capacity.loadgen.master.workers.merged_counts import MergedCounts


class StepSequence(Protocol):
    """What a controller asks between steps."""

    is_search: bool
    """A step that fails is a result, and the next one follows."""
    is_careful: bool
    """Distress in a ramp slows it down before it ends the run."""

    def after(self, observation: StepObservation, last: MergedCounts) -> dict[str, Any] | None:
        """Take a step that is over; return what is to be recorded of it as a trial."""

    def next_steps(self, record: Any) -> tuple[LoadStep, ...]:
        """Return what to offer next, in this order; nothing when the run is over."""

    def end(self) -> Ending:
        """Return how a run ended whose steps are through."""


class ListedSteps:
    """The steps of a profile of kind ramp: all are known when the run begins."""

    is_search = False
    is_careful = False

    def after(self, observation: StepObservation, last: MergedCounts) -> None:
        """Take a step that is over; the next one is in the list."""

    def next_steps(self, record: Any) -> tuple[LoadStep, ...]:  # noqa: ARG002 - the list is all
        return ()

    def end(self) -> Ending:
        return "finished", {}
