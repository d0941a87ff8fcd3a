"""What the workers counted in each step and phase, until the step is summed up and recorded."""

import time
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

import gevent

from capacity.domain import units
from capacity.domain.load import LoadStep
from capacity.domain.observation import CutOff, CutOffKind, StepObservation
from capacity.domain.resources import Resource
from capacity.domain.run import LoadPoint
from capacity.loadgen.master.guards.blame import (
    admitted_of,
    held_clause,
    most_of,
    protocol_faults_in,
    refusals_in,
    refused_clause,
    tries_in_words,
)
from capacity.loadgen.master.recorder import Recorder
from capacity.loadgen.master.steps.freshness import Watched, freshness_of
from capacity.loadgen.master.steps.step_summary import observe
from capacity.loadgen.master.workers.merged_counts import MergedCounts
from capacity.loadgen.master.workers.worker_pool import SILENCE_S, WorkerPool
from capacity.workload.profiles.profile import Phase, Position, whole_users

FINAL_REPORTS_TIMEOUT_S = 3.0
LOST_SHARE = 0.5
"""A target that drops more than this of a step's connections is gone, or as good as."""
LEAST_COUNTED_RATIO = 0.5
"""Of a plateau, that a worker has to have counted on; it heard late of it, and the load was the same."""
LONGER_S, LONGER_RATIO = 0.5, 0.15
"""By the larger one, the second of a plateau, a worker may have gone on counting at the old load."""
CLOCK_SET_S = 0.1
"""By more than this a host's clock is not slewed but set."""
WORKER_LOST = "a worker was lost"
WORKER_JOINED = "a worker joined"


class StepResults:
    def __init__(
        self, pool: WorkerPool, recorder: Recorder, watched: Watched | None = None
    ) -> None:
        """Sum up what *pool* reports; *watched* says how one instrument is, None where none is."""
        self._watched = watched
        self._pool = pool
        self._recorder = recorder
        self._times: dict[int, dict[Phase, float]] = {}
        self._held_s: dict[int, float] = {}
        self._merged_counts: dict[int, dict[Phase, MergedCounts]] = {}
        self.observations: list[StepObservation] = []
        self._disturbances: dict[int, set[str]] = {}
        self._peaks: dict[int, int] = {}
        self._is_closing = False

    @property
    def disturbances(self) -> set[str]:
        """Why the step that is under way must not be used."""
        return self._disturbances.setdefault(len(self.observations), set())

    @property
    def connections_peak(self) -> int:
        """Return the most connections that were open at once in the step that is under way."""
        return self._peaks.get(len(self.observations), 0)

    @property
    def admitted(self) -> int:
        """Count of the connections that the target let in; where clients hold several, of whole clients."""
        return admitted_of(self.connections_peak, self._pool, self._failures())

    def begin(self, position: Position) -> None:
        self._times.setdefault(position.index, {})[position.phase] = self._recorder.now()
        self._held_s.setdefault(position.index, position.held_s)
        self._peaks.setdefault(position.index, self._pool.open_connections)

    def note_workers(self, lost: Collection[str], joined: Collection[str]) -> bool:
        """Write down who was lost and who joined; return whether the step needs its time again.

        The first loss and the first newcomer give it: it has to end where workers come and go.
        """
        before = set(self.disturbances)
        for worker in sorted(lost):
            self.disturbances.add(WORKER_LOST)
            self._recorder.event("worker_lost", worker=worker, reason=self._pool.how_lost(worker))
        for worker in sorted(joined):
            self.disturbances.add(WORKER_JOINED)
            self._recorder.event("worker_joined", worker=worker)
        return self.disturbances != before

    def add(self, worker: str, report: Mapping[str, Any]) -> None:
        """Take what a worker counted since its last report."""
        index = report["index"]
        if index < len(self.observations):
            return  # Between two steps, or of one that is void for want of it.
        if index == self._pool.reports.newest_index(self._pool.ids):
            # Also of those that were lost between two reports; nobody is in a later step yet.
            self._peaks[index] = max(self._peaks.get(index, 0), self._pool.most_open)
        self._note_standstill(index, report)
        merged = self.merged(index, Phase(report["phase"]))
        merged.add(worker, report)
        merged.note_open(self._pool.ids, self._pool.open_private)

    def _note_standstill(self, index: int, report: Mapping[str, Any]) -> None:
        disturbances = self._disturbances.setdefault(index, set())
        if report["seconds"] > SILENCE_S:
            disturbances.add("a worker stood still")
        if abs(report["clock_set_s"]) > CLOCK_SET_S:
            disturbances.add(
                f"the clock of a generator's host was set by {report['clock_set_s']:+.1f} s"
            )

    def merged(self, index: int, phase: Phase) -> MergedCounts:
        return self._merged_counts.setdefault(index, {}).setdefault(phase, MergedCounts())

    def lost_before(self, position: Position) -> int:
        """Return the connections that the target ended in the step's earlier phases."""
        phases = self._merged_counts.get(position.index, {}).items()
        return sum(merged.total("lost") for phase, merged in phases if phase != position.phase)

    def point(self, position: Position, failures: int) -> LoadPoint:
        """Return the load of this moment."""
        merged = self.merged(position.index, position.phase)
        return LoadPoint(
            at=self._recorder.now(),
            index=position.index,
            phase=position.phase.value,
            users=self._pool.users,
            open_connections=self._pool.open_connections,
            deliveries_per_s=merged.per_s("deliveries"),
            requests_per_s=merged.per_s("requests"),
            failures=failures,
            open_private=self._pool.private_or_none,
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
        phases = self._merged_counts.get(len(self.observations), {}).values()
        return sum(merged.total(name) for merged in phases)

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
        silent_s = self._pool.longest_silence_s()
        self._await_last_words(ramp)
        if silent_s > SILENCE_S:
            self.disturbances.add(f"a worker has not been heard for {silent_s:.1f} s")
        self._note_unheard(ramp)
        if not (ramp.failures or ramp.total("lost") or self._pool.opening):
            self.disturbances.add("nobody tried to connect any more")
        if self.disturbances:
            why = "; ".join(sorted(self.disturbances))
            return self.cut_off(CutOffKind.STOPPED, f"the generator did not open them: {why}")
        refusals = refusals_in(ramp.failures)
        failed, unanswered = sum(refusals.values()), refusals.get("connect_timeout", 0)
        kind = CutOffKind.NOT_REACHED
        statement = (
            f"the target held {self.admitted} connections{held_clause(self._pool)} and accepted no more for"
            f" {step.ramp_timeout_s:.0f} s"
        )
        faults = protocol_faults_in(ramp.failures)
        if faults and sum(faults.values()) >= max(failed, ramp.total("connects") / 2):
            statement = (
                f"{units.counted(sum(faults.values()), 'connection')} of"
                f" {ramp.total('connects')} that were opened were lost{most_of(faults)}"
            )
            return self.cut_off(CutOffKind.LOST, statement)
        statement += refused_clause(ramp.failures, ramp.private_failures)
        newest = [reports[-2:] for reports in ramp.delivered.values()]
        is_served = any(deliveries for reports in newest for deliveries, _seconds in reports)
        is_serving = is_served or ramp.total("answering") > 0
        if unanswered >= failed / 2 and not is_serving:
            kind = CutOffKind.SILENT
            tried = tries_in_words(unanswered, self._pool.opening)
            statement = (
                f"the target did not respond for {step.ramp_timeout_s:.0f} s: {tried}"
                f" while {self.connections_peak} were open"
            )
        return self.cut_off(kind, statement)

    def cut_off(self, kind: CutOffKind, statement: str, resource: Resource | None = None) -> CutOff:
        """Return how the step that is under way ends here, with how far it came."""
        is_told = kind in (CutOffKind.REFUSED, CutOffKind.NOT_REACHED)
        most = self.admitted if is_told else self.connections_peak
        return CutOff(kind=kind, statement=statement, connections=most, resource=resource)

    def _await_last_words(self, merged: MergedCounts) -> None:
        deadline_s = time.monotonic() + FINAL_REPORTS_TIMEOUT_S
        while not self._is_complete(merged) and time.monotonic() < deadline_s:
            gevent.sleep(0.02)

    def _is_complete(self, merged: MergedCounts) -> bool:
        missing = self._pool.reports.missing(len(self.observations))
        return self._pool.ids <= merged.finals and not missing

    def _note_unheard(self, merged: MergedCounts) -> None:
        """Note who has not said all of the step that is under way, and what was lost on the way here."""
        if lost := self._pool.reports.missing(len(self.observations)):
            self.disturbances.add(f"{lost} report(s) of workers were lost")
        if silent := len(self._pool.ids - merged.finals):
            self.disturbances.add(f"{silent} worker(s) did not report in time")

    def _note_shifted(self, merged: MergedCounts, lasted_s: float) -> None:
        """Note a worker that heard late of the plateau, or of its end: it counted another load."""
        for worker in self._pool.ids & merged.finals:
            counted_s = merged.counts[worker]["seconds"]
            longer_s = counted_s - lasted_s
            is_long = longer_s > max(LONGER_S, LONGER_RATIO * lasted_s)
            if is_long or counted_s < LEAST_COUNTED_RATIO * lasted_s:
                self.disturbances.add(
                    f"a worker counted for {counted_s:.1f} s on a plateau of {lasted_s:.1f} s"
                )

    def _note_crowd(self, merged: MergedCounts, step: LoadStep) -> None:
        """Note users of the next step that a worker had before it heard that the plateau is over."""
        asked = whole_users(step.connections, self._pool.connections_per_user)
        if (most := max(merged.open_connections, default=0)) > asked:
            self.disturbances.add(f"{most} connections were open on a plateau of {asked}")

    def await_close(self) -> None:
        """Wait until a step that somebody else closes is recorded."""
        while self._is_closing:
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
        self._is_closing = True
        try:
            return self._close(step, ended_at, cut_off)
        finally:
            self._is_closing = False

    def _close(
        self, step: LoadStep, ended_at: float, cut_off: CutOff | None
    ) -> tuple[StepObservation, MergedCounts]:
        index = len(self.observations)
        times = self._times.pop(index)
        merged = self.merged(index, last := list(times)[-1])
        self._await_last_words(merged)
        self._note_unheard(merged)
        if last is Phase.PLATEAU and cut_off is None:
            self._note_shifted(merged, ended_at - times[last])
            self._note_crowd(merged, step)
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
        if self._watched is not None and last is Phase.PLATEAU:
            heard = (merged.pushed_versions, merged.polled_versions)
            pair = freshness_of(self._watched, *heard, until_s=ended_at)
            observation = replace(observation, freshness=pair)
        observation = replace(observation, held_s=self._held_s.pop(index))
        self.observations.append(observation)
        self._recorder.step(observation, merged.histograms)
        self._disturbances.pop(index, None)
        self._peaks.pop(index, None)
        return observation, merged
