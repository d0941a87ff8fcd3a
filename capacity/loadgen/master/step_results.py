"""What the workers counted in each step and phase, until the step is summed up and recorded."""

import time
from collections.abc import Mapping
from typing import Any

import gevent

from capacity.domain import units
from capacity.domain.load import LoadStep
from capacity.domain.observation import CutOff, CutOffKind, StepObservation
from capacity.domain.run import LoadPoint
from capacity.loadgen.crew import Crew
from capacity.loadgen.guarding import refusals_in, told
from capacity.loadgen.observing import observe
from capacity.loadgen.recorder import Recorder
from capacity.loadgen.tally import Tally
from capacity.workload.profile import Phase, Position

FINAL_REPORTS_TIMEOUT_S = 3.0
LOST_SHARE = 0.5
"""A target that drops more than this of a step's connections is gone, or as good as."""
WORKER_LOST = "a worker was lost"
WORKER_JOINED = "a worker joined"


class StepBook:
    def __init__(self, crew: Crew, recorder: Recorder) -> None:
        self._crew = crew
        self._recorder = recorder
        self._times: dict[int, dict[Phase, float]] = {}
        self._tallies: dict[int, dict[Phase, Tally]] = {}
        self.observations: list[StepObservation] = []
        self.disturbances: set[str] = set()
        """Why the step that is under way must not be used."""
        self.connections_peak = 0
        """Most connections open at once in this step."""

    def begin(self, position: Position) -> None:
        self._times.setdefault(position.index, {})[position.phase] = time.time()

    def add(self, worker: str, report: Mapping[str, Any]) -> None:
        """Take what a worker counted since its last report."""
        if report["index"] == len(self.observations):
            # Also of those that were lost between two reports.
            self.connections_peak = max(self.connections_peak, self._crew.most_open)
        if report["index"] < 0:
            return
        tally = self.tally(report["index"], Phase(report["phase"]))
        tally.add(worker, report)
        if self._crew.heard == len(self._crew):
            tally.open_connections.append(self._crew.open_connections)

    def tally(self, index: int, phase: Phase) -> Tally:
        return self._tallies.setdefault(index, {}).setdefault(phase, Tally())

    def lost_before(self, position: Position) -> int:
        """Return the connections that the target ended in the step's earlier phases."""
        phases = self._tallies.get(position.index, {})
        return sum(
            tally.total("lost") for phase, tally in phases.items() if phase != position.phase
        )

    def point(self, position: Position, failures: int) -> LoadPoint:
        """Return the load of this moment."""
        tally = self.tally(position.index, position.phase)
        return LoadPoint(
            at=time.time(),
            index=position.index,
            phase=position.phase.value,
            users=self._crew.users,
            open_connections=self._crew.open_connections,
            deliveries_per_s=tally.per_s("deliveries"),
            requests_per_s=tally.per_s("requests"),
            failures=failures,
        )

    def loss(self, step: LoadStep) -> str | None:
        """Return how the target has left *step*, None while it has not."""
        held, expected = self._crew.open_connections, min(step.connections, self.connections_peak)
        if held >= expected * LOST_SHARE or self.disturbances & {WORKER_LOST, WORKER_JOINED}:
            return None
        return f"the target dropped {expected - held} of {expected} connections"

    def unreached(self, step: LoadStep) -> CutOff:
        """Return how a ramp ended that timed out: a target that is full still serves who is in."""
        ramp = self.tally(len(self.observations), Phase.RAMP)
        self._await_last_words(ramp)
        refusals = refusals_in(ramp.failures)
        failed, unanswered = sum(refusals.values()), refusals.get("connect_timeout", 0)
        kind = CutOffKind.NOT_REACHED
        statement = (
            f"the target held {self.connections_peak} and admitted no more for"
            f" {step.ramp_timeout_s:.0f} s"
        )
        if failed:
            statement += f": {units.counted(failed, 'attempt')} failed, most by {told(refusals)}"
        newest = [reports[-2:] for reports in ramp.delivered.values()]
        is_serving = any(deliveries for reports in newest for deliveries, _seconds in reports)
        if unanswered >= failed / 2 and not is_serving:
            kind = CutOffKind.SILENT
            statement = (
                f"the target answered nobody any more for {step.ramp_timeout_s:.0f} s:"
                f" {units.counted(unanswered, 'attempt')} to connect timed out while"
                f" {self.connections_peak} were open"
            )
        return CutOff(kind=kind, statement=statement, connections=self.connections_peak)

    def _await_last_words(self, tally: Tally) -> None:
        deadline_s = time.monotonic() + FINAL_REPORTS_TIMEOUT_S
        while not self._crew.ids <= tally.finals and time.monotonic() < deadline_s:
            gevent.sleep(0.02)

    @property
    def has_open_step(self) -> bool:
        return len(self.observations) in self._times

    def close(
        self, step: LoadStep, *, ended_at: float, cut_off: CutOff | None = None
    ) -> tuple[StepObservation, Tally]:
        """Wait for the last word of every worker on the oldest open step, then record it.

        *cut_off* says why it was not held to its end. Returns the step summed up, and the tally of
        its last phase.
        """
        index = len(self.observations)
        times = self._times.pop(index)
        last = list(times)[-1]
        tally = self.tally(index, last)
        self._await_last_words(tally)
        if not self._crew.ids <= tally.finals:
            silent = len(self._crew.ids - tally.finals)
            self.disturbances.add(f"{silent} worker(s) did not report in time")
        observation = observe(
            index=index,
            step=step,
            times=times,
            ended_at=ended_at,
            tallies=self._tallies.pop(index),
            connections_peak=self.connections_peak,
            users=self._crew.users,
            workers=len(self._crew),
            disturbances=self.disturbances,
            cut_off=cut_off,
        )
        self.observations.append(observation)
        self._recorder.step(observation, tally.histograms)
        self.connections_peak = self._crew.open_connections
        self.disturbances = set()
        return observation, tally
