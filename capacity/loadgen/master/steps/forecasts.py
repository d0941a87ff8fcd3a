"""The plan so far after each step, while a run goes on: how its interval tightens."""

from collections.abc import Sequence
from dataclasses import dataclass

import gevent
from gevent.lock import BoundedSemaphore

from capacity.domain.observation import StepObservation
from capacity.domain.plan import CapacityPlan, Excuse
from capacity.domain.resources import Limit
from capacity.domain.run import RunRecord
from capacity.planning.plan import plan

MOST = 60
"""Forecasts that are kept, the newest: some 20 KB each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    after_step: int
    """Index of the last step that it knows."""
    connections: int
    """Of that step."""
    answer: CapacityPlan | Excuse


class Forecasts:
    def __init__(self, declared: Sequence[Limit], *, is_beside_load: bool) -> None:
        """Take the *declared* limits, and whether this process offers load: it has no time then."""
        self._declared = declared
        self._is_beside_load = is_beside_load
        self._turn = BoundedSemaphore(1)
        self.made: list[Forecast] = []
        """The newest, in the order of the steps."""

    def note(self, step: StepObservation, answer: CapacityPlan | Excuse | None) -> None:
        """Take the plan that was made anyway after *step*."""
        if answer is not None:
            self.made.append(
                Forecast(after_step=step.index, connections=step.connections_peak, answer=answer)
            )
            del self.made[:-MOST]

    def make(self, step: StepObservation, record: RunRecord) -> None:
        """Plan from the *record* up to *step*, in a thread; nobody waits for it."""
        if not self._is_beside_load and step.plateau_ended_at is not None and step.connections_peak:
            gevent.spawn(self._make, step, record)

    def _make(self, step: StepObservation, record: RunRecord) -> None:
        with self._turn:
            self.note(
                step,
                gevent.get_hub().threadpool.apply(plan, (record,), {"declared": self._declared}),
            )
