"""What the workers counted in each step and phase, until the step is summed up and recorded."""

import time
from collections.abc import Mapping
from typing import Any

import gevent

from capacity.domain import units
from capacity.domain.load import LoadStep
from capacity.domain.observation import CutOff, CutOffKind, StepObservation
from capacity.domain.run import LoadPoint
from capacity.loadgen.master.guards.blame import (
    most_of,
    protocol_faults_in,
    refusals_in,
    refused_clause,
)
from capacity.loadgen.master.recorder import Recorder
from capacity.loadgen.master.steps.step_summary import observe
from capacity.loadgen.master.workers.merged_counts import MergedCounts
from capacity.loadgen.master.workers.worker_pool import WorkerPool
from capacity.workload.profiles.profile import Phase, Position

FINAL_REPORTS_TIMEOUT_S = 3.0
LOST_SHARE = 0.5
"""A target that drops more than this of a step's connections is gone, or as good as."""
WORKER_LOST = "a worker was lost"
WORKER_JOINED = "a worker joined"


class StepResults:
    def __init__(self, pool: WorkerPool, recorder: Recorder) -> None:
        self._pool = pool
        self._recorder = recorder
        self._times: dict[int, dict[Phase, float]] = {}
        self._merged_counts: dict[int, dict[Phase, MergedCounts]] = {}
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
            self.connections_peak = max(self.connections_peak, self._pool.most_open)
        if report["index"] < 0:
            return
        merged = self.merged(report["index"], Phase(report["phase"]))
        merged.add(worker, report)
        if self._pool.heard == len(self._pool):
            merged.open_connections.append(self._pool.open_connections)

    def merged(self, index: int, phase: Phase) -> MergedCounts:
        return self._merged_counts.setdefault(index, {}).setdefault(phase, MergedCounts())

    def lost_before(self, position: Position) -> int:
        """Return the connections that the target ended in the step's earlier phases."""
        phases = self._merged_counts.get(position.index, {})
        return sum(
            merged.total("lost") for phase, merged in phases.items() if phase != position.phase
        )

    def point(self, position: Position, failures: int) -> LoadPoint:
        """Return the load of this moment."""
        merged = self.merged(position.index, position.phase)
        return LoadPoint(
            at=time.time(),
            index=position.index,
            phase=position.phase.value,
            users=self._pool.users,
            open_connections=self._pool.open_connections,
            deliveries_per_s=merged.per_s("deliveries"),
            requests_per_s=merged.per_s("requests"),
            failures=failures,
        )

    def loss(self, step: LoadStep) -> str | None:
        """Return how the target has left *step*, None while it has not."""
        held, expected = self._pool.open_connections, min(step.connections, self.connections_peak)
        held += self._total("expired")  # They are opened again.
        if held >= expected * LOST_SHARE or self.disturbances & {WORKER_LOST, WORKER_JOINED}:
            return None
        failures = self._failures()
        ended = f"{expected - held} of {expected} connections"
        if protocol_faults_in(failures):
            return f"{ended} were lost{most_of(failures)}"
        return f"the target dropped {ended}{most_of(failures)}"

    def _total(self, name: str) -> int:
        """Return a count of the open step so far."""
        phases = self._merged_counts.get(len(self.observations), {})
        return sum(merged.total(name) for merged in phases.values())

    def _failures(self) -> dict[str, int]:
        """Return what failed in the open step so far, by reason."""
        failures: dict[str, int] = {}
        for merged in self._merged_counts.get(len(self.observations), {}).values():
            for reason, count in merged.failures.items():
                failures[reason] = failures.get(reason, 0) + count
        return failures

    def unreached(self, step: LoadStep) -> CutOff:
        """Return how a ramp ended that timed out: a target that is full still serves who is in."""
        ramp = self.merged(len(self.observations), Phase.RAMP)
        self._await_last_words(ramp)
        refusals = refusals_in(ramp.failures)
        failed, unanswered = sum(refusals.values()), refusals.get("connect_timeout", 0)
        kind = CutOffKind.NOT_REACHED
        statement = (
            f"the target held {self.connections_peak} connections and accepted no more for"
            f" {step.ramp_timeout_s:.0f} s"
        )
        faults = protocol_faults_in(ramp.failures)
        if faults and sum(faults.values()) >= max(failed, ramp.total("connects") / 2):
            statement = (
                f"{units.counted(sum(faults.values()), 'connection')} of"
                f" {ramp.total('connects')} that were opened were lost{most_of(faults)}"
            )
            return CutOff(
                kind=CutOffKind.LOST, statement=statement, connections=self.connections_peak
            )
        statement += refused_clause(ramp.failures)
        newest = [reports[-2:] for reports in ramp.delivered.values()]
        is_serving = any(deliveries for reports in newest for deliveries, _seconds in reports)
        if unanswered >= failed / 2 and not is_serving:
            kind = CutOffKind.SILENT
            statement = (
                f"the target did not respond for {step.ramp_timeout_s:.0f} s:"
                f" {units.counted(unanswered, 'connect attempt')} timed out while"
                f" {self.connections_peak} were open"
            )
        return CutOff(kind=kind, statement=statement, connections=self.connections_peak)

    def _await_last_words(self, merged: MergedCounts) -> None:
        deadline_s = time.monotonic() + FINAL_REPORTS_TIMEOUT_S
        while not self._pool.ids <= merged.finals and time.monotonic() < deadline_s:
            gevent.sleep(0.02)

    @property
    def has_open_step(self) -> bool:
        return len(self.observations) in self._times

    def close(
        self, step: LoadStep, *, ended_at: float, cut_off: CutOff | None = None
    ) -> tuple[StepObservation, MergedCounts]:
        """Wait for the last word of every worker on the oldest open step, then record it.

        *cut_off* says why it was not held to its end. Returns the step summed up, and the merged of
        its last phase.
        """
        index = len(self.observations)
        times = self._times.pop(index)
        last = list(times)[-1]
        merged = self.merged(index, last)
        self._await_last_words(merged)
        if not self._pool.ids <= merged.finals:
            silent = len(self._pool.ids - merged.finals)
            self.disturbances.add(f"{silent} worker(s) did not report in time")
        observation = observe(
            index=index,
            step=step,
            times=times,
            ended_at=ended_at,
            merged_counts=self._merged_counts.pop(index),
            connections_peak=self.connections_peak,
            users=self._pool.users,
            workers=len(self._pool),
            disturbances=self.disturbances,
            cut_off=cut_off,
        )
        self.observations.append(observation)
        self._recorder.step(observation, merged.histograms)
        self.connections_peak = self._pool.open_connections
        self.disturbances = set()
        return observation, merged
