"""The master's part in a run: which load is due, when a step is over, what is recorded.

The profile is a table of steps (workload.profile), the workers count (counters), the agent samples;
the controller moves the position on a fixed beat and writes down what comes together.
"""

from locust.env import Environment

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import gevent

from capacity.domain.load import LoadStep
from capacity.domain.observation import CutOff, CutOffKind, StepObservation
from capacity.loadgen.checks.planned_load import most_actors
from capacity.loadgen.checks.preflight import check
from capacity.loadgen.master import run_endings
from capacity.loadgen.master.closing import Closing
from capacity.loadgen.master.guards.distress import Distress
from capacity.loadgen.master.guards.guard_watch import Guard, Moment, saturated
from capacity.loadgen.master.pulse import beat
from capacity.loadgen.master.recorder import Recorder
from capacity.loadgen.master.run_endings import Ending
from capacity.loadgen.master.run_events import Beat, Seen, seen_in
from capacity.loadgen.master.run_states import Action, action_on
from capacity.loadgen.master.steps.adaptive_steps import AdaptiveSteps
from capacity.loadgen.master.steps.course import course_from
from capacity.loadgen.master.steps.forecasts import Forecasts
from capacity.loadgen.master.steps.limit_search import TRIAL
from capacity.loadgen.master.steps.ramp_progress import RampProgress
from capacity.loadgen.master.steps.step_results import StepResults
from capacity.loadgen.master.storm_drills import StormDrills
from capacity.loadgen.master.workers.assignments import (
    careful_rate_per_s,
    is_careful,
    orders_of,
    stage_of,
    watched_of,
)
from capacity.loadgen.master.workers.cast import Cast
from capacity.loadgen.master.workers.check_in import LOCAL, check_in
from capacity.loadgen.master.workers.locust_users import UsersDue, fix_counts
from capacity.loadgen.master.workers.merged_counts import MergedCounts
from capacity.loadgen.master.workers.worker_pool import WorkerPool
from capacity.loadgen.protocol.orders import BETWEEN
from capacity.planning.safety.trip import Trip
from capacity.settings.profile import Profile
from capacity.settings.target import Target
from capacity.workload.profiles.profile import START, Phase, Position, is_way_down
from capacity.workload.profiles.search import Trial


class Controller:
    """Drives one run from the first tick of the load shape to its last plateau."""

    def __init__(
        self,
        environment: Environment,
        target: Target,
        profile: Profile,
        run: Path,
        workers: int,
        *,
        cast: Cast | None = None,
        earlier: Sequence[Trial] = (),
    ) -> None:
        """Check everything and open the record. Raises CapacityError when the run cannot be.

        *cast* says what its classes brought to the profile. *earlier* are the trials of a search that this one goes on from.
        """
        self.target = target
        self.profile = profile
        preflight = check(target, profile, workers=check_in(environment, target))
        fixed = fix_counts(environment, most_actors(preflight, profile))
        self._users_due = UsersDue(fixed, profile.connections_per_user)
        self.course, self.preflight = course_from(preflight, profile, target.slo, earlier)
        self.steps: list[LoadStep] = list(self.preflight.steps)
        self.recorder = Recorder(run, target, profile, self.preflight, workers)
        self._closing = Closing(self._close_record)
        self.stops_after_step = False
        """Somebody wants the run to end when the step that is under way is over."""
        self.position: Position = START
        self._failures = 0
        pids = preflight.info.target_pids if preflight.info is not None else ()
        self._guard = Guard(profile, preflight.limits, target.slo, pids)
        self._is_careful = is_careful(profile)
        self._distress = Distress(
            self._guard,
            is_careful=self.course.is_careful,
            has_agent=preflight.agent is not None,
        )
        self._progress = RampProgress()
        self._started_s = time.monotonic()
        self.pool = WorkerPool(environment, orders_of(target, profile, preflight, cast))
        self.book = StepResults(self.pool, self.recorder, watched_of(profile, preflight))
        self.forecasts = Forecasts(preflight.declared, is_beside_load=LOCAL in self.pool.ids)
        self.drills = StormDrills(profile, preflight, self.pool, self.book, self.recorder)
        self._greenlets: list[gevent.Greenlet] = []

    def begin(self) -> None:
        """Begin the first step. Apart from opening the record: what is open can be ended."""
        self._greenlets = [gevent.spawn(self._beat_forever), gevent.spawn(self._note_forever)]
        for greenlet in (*self._greenlets, self.recorder.fetching):
            if greenlet is not None:
                greenlet.link_exception(self._on_crash)
        self._begin_phase()

    def users_due(self) -> tuple[int, float] | None:
        """Return Locust's users and spawn rate for now; None when the run is over."""
        if self.is_over:
            return None
        is_held = self.ending is not None or self.pool.has_dead()
        known = (self.pool.heard, self.pool.newcomers)
        return self._users_due.of(self.steps, self.position.index, *known, is_held=is_held)

    def on_counts(self, worker: str, report: dict[str, Any]) -> None:
        if not self.pool.reports.is_new(worker, report):
            return
        self.pool.note(worker, report["gauges"])
        self._failures += sum(report["failures"].values())
        self.recorder.unmatched(report["examples"])
        self.recorder.said(report["said"])
        self._progress.note(self.open_connections, self.elapsed_s)
        self.book.add(worker, report)
        self.drills.add(worker, report)

    @property
    def open_connections(self) -> int:
        return self.pool.open_connections

    @property
    def ending(self) -> Ending | None:
        """How the run ended, or is about to; None while it goes on."""
        return self._closing.ending

    @property
    def is_over(self) -> bool:
        return self._closing.is_over

    @property
    def exit_code(self) -> int:
        return self._closing.exit_code

    @property
    def users(self) -> int:
        return self.pool.users

    @property
    def elapsed_s(self) -> float:
        return time.monotonic() - self._started_s

    @property
    def observations(self) -> list[StepObservation]:
        return self.book.observations

    @property
    def total_steps(self) -> int | None:
        """Return how many steps there are; of a climb nobody knows yet how many follow."""
        return None if self.course.is_careful else len(self.steps)

    @property
    def step(self) -> LoadStep:
        return self.steps[self.position.index]

    @property
    def counts(self) -> MergedCounts:
        return self.book.merged(self.position.index, self.position.phase)

    def _beat_forever(self) -> None:
        while self.ending is None:
            stood_s = beat()
            if stood_s:  # Not the target's fault; what came meanwhile is read before it is judged.
                self.position = replace(self.position, since_s=self.position.since_s + stood_s)
                self._progress.forgive(stood_s)
            if self.ending is not None:
                return
            self._watch_workers()
            read = self._read()
            seen = seen_in(read, self._distress)
            if seen is not None:
                phase = read.position.phase
                self._do(action_on(seen.event, phase, is_search=read.is_search), seen)

    def _read(self) -> Beat:
        """Return what is to be seen now."""
        # A careful ramp takes as long as it gets on.
        stalled_s = self._progress.stalled_s(self.elapsed_s) if self._is_careful else None
        return Beat(
            steps=self.steps,
            position=self.position,
            elapsed_s=self.elapsed_s,
            stalled_s=stalled_s,
            open_connections=self.open_connections,
            connections_per_user=self.profile.connections_per_user,
            has_workers=bool(self.pool),
            is_search=self.course.is_search,
            loss=self.book.loss(self.step),
            moment=self._moment(),
            samples=self.recorder.samples,
        )

    def _moment(self) -> Moment | None:
        """Return what the guards look at, None where nothing is guarded."""
        if self.course.is_search and self.profile.guards is None:
            return None
        index, phase = self.position.index, self.position.phase
        return Moment(
            merged=self.counts,
            connections=self.book.connections_peak,
            is_loaded=index > 0 or self.step.connections > 0,
            is_leaving=is_way_down(self.steps, index) and phase is not Phase.PLATEAU,
            lost_before=self.book.lost_before(self.position),
            refused_by=self.pool.refused_by,
        )

    def _do(self, action: Action, seen: Seen) -> None:
        doing: dict[Action, Callable[[], object]] = {
            Action.WAIT: lambda: None,
            Action.SLOW_DOWN: lambda: self._slow_down(seen.sign),
            Action.BEGIN_PHASE: lambda: self._move_to(seen.goal),
            Action.BEGIN_STEP: lambda: self._begin_step(seen.goal),
            Action.ASK_FOR_STEPS: self._follow,
            Action.GIVE_UP_TRIAL: lambda: self._give_up(seen.statement),
            Action.END_UNREACHED: self._end_unreached,
            Action.END_LOST: lambda: self._end_lost(seen.statement, seen.loss),
            Action.END_GUARDED: lambda: self._end_guarded(self.position.index, seen.sign),
            Action.END_WITHOUT_WORKERS: lambda: self.finish(
                run_endings.without_workers(self.pool.last_fate)
            ),
        }
        doing[action]()

    def _begin_step(self, position: Position) -> None:
        if self.stops_after_step:
            self._follow()
        elif not self._is_guarded_from(self.steps[position.index]):
            self._move_to(position)

    def _give_up(self, statement: str) -> None:
        self.book.disturbances.add(statement)
        self._follow()

    def _move_to(self, position: Position) -> None:
        before, self.position = self.position, position
        now_at = self.recorder.now()
        self._begin_phase()
        if position.index != before.index:
            self._close_step(now_at)

    def _begin_phase(self) -> None:
        position, step = self.position, self.step
        if position.phase is Phase.RAMP:
            self._progress.begin(self.open_connections, self.elapsed_s)
        self._distress.begin(position.phase, self.recorder.samples)
        self._share_stage()
        self.book.begin(position)
        self.recorder.event(
            "phase",
            index=position.index,
            phase=position.phase.value,
            connections=step.connections,
            steps=self.total_steps,
        )

    def _share_stage(self, **changes: Any) -> None:
        """Tell every worker its share of the stage that is due."""
        step = replace(self.step, connects_per_s=self._connects_per_s)
        shares = max(1, len(self.pool))
        stage = stage_of(self.position, step, shares, is_careful=self._is_careful)
        self.pool.tell_stage(replace(stage, **changes))

    def _close_step(
        self, ended_at: float | None = None, cut_off: CutOff | None = None
    ) -> StepObservation:
        step = self.steps[len(self.observations)]
        observation, last = self.book.close(
            step, ended_at=ended_at or self.recorder.now(), cut_off=cut_off
        )
        if not self.course.is_careful:
            self.forecasts.make(observation, self.recorder.record())
        trial = self.course.after(observation, last) if cut_off is None else None
        if trial is not None:
            self.recorder.event(TRIAL, **trial, index=observation.index)
        return observation

    def _follow(self) -> None:
        """Close the step that is over, then begin what the course says, or end the run."""
        self._share_stage(index=BETWEEN)
        closed = self._close_step()
        if self.stops_after_step:
            self.finish(run_endings.stopped_after(closed.index))
            return
        if isinstance(self.course, AdaptiveSteps):
            if self.course.short is not None:
                self._end_guarded(closed.index, saturated(self.course.short))
                return
            self.recorder.catch_up(closed.plateau_ended_at or closed.started_at)
        steps = self.course.next_steps(self.recorder.record())
        if isinstance(self.course, AdaptiveSteps) and (climb := self.course.take_decision()):
            self.recorder.event("climb", **asdict(climb))
            self.forecasts.note(closed, self.course.answer)
        if self.ending is not None:
            return  # Somebody has ended the run while this was found out.
        if not (steps := steps or self.drills.step_after(self.course.end(), self.observations)):
            self.finish(self.drills.run(self.course.end(), self._share_stage, self._watch_workers))
        elif self.course.is_search or not self._is_guarded_from(steps[0]):
            index = len(self.steps)
            self.steps += steps
            self.position = Position(index=index, phase=Phase.RAMP, since_s=self.elapsed_s)
            self._begin_phase()

    def _end_unreached(self) -> None:
        self.pool.end()
        cut_off = self.book.unreached(self.step)
        if self.ending is None:
            self.finish(run_endings.not_reached(self._close_step(cut_off=cut_off)))

    def _end_lost(self, statement: str, kind: CutOffKind) -> None:
        self.pool.end()
        index = self.position.index
        self._close_step(cut_off=self.book.cut_off(kind, statement))
        self.finish(run_endings.target_lost(index, statement))

    @property
    def _connects_per_s(self) -> float:
        most_per_s = self.step.connects_per_s
        if self._is_careful:
            most_per_s = careful_rate_per_s(self.steps, self.position.index)
        return most_per_s * self._distress.rate_ratio

    def _slow_down(self, trip: Trip) -> None:
        self._restart_phase()
        self._share_stage()
        rate_per_s = round(self._connects_per_s, 1)
        self.recorder.event("eased", **asdict(trip), connects_per_s=rate_per_s)

    def _restart_phase(self) -> None:
        """Give what is on its way to a plateau its whole time again."""
        self._progress.wait_anew(self.elapsed_s)
        self.position = self.position.begun_again(self.elapsed_s)

    def _is_guarded_from(self, step: LoadStep) -> bool:
        """Tell whether *step* would trip a guard; then the run has ended before it."""
        trip = self._guard.trip_ahead(self.recorder.samples, step, self.step)
        return trip is not None and self._end_guarded(len(self.observations), trip, is_ahead=True)

    def _end_guarded(self, index: int, trip: Trip, *, is_ahead: bool = False) -> bool:
        self.pool.end()
        if self.book.has_open_step:
            cut_off = self.book.cut_off(trip.kind, trip.statement, trip.resource)
            self._close_step(cut_off=None if is_ahead else cut_off)
        self.recorder.event("guard", **asdict(trip))
        self.finish(run_endings.guarded(index, trip))
        return True

    def finish(self, ending: Ending) -> None:
        """Close the record, once; a later call waits until the first one is done."""
        self._closing.begin(ending)

    def _close_record(self, kind: str, detail: dict[str, Any]) -> None:
        self.drills.interrupt(str(detail.get("reason", kind)))
        self.pool.end()
        self.book.await_close()
        if self.book.has_open_step:
            reason = str(detail.get("reason", kind))
            self._close_step(cut_off=self.book.cut_off(CutOffKind.STOPPED, reason))
        self.recorder.close(kind, detail)

    def abort(self, ending: Ending) -> None:
        """End a run that Locust stops before its profile is through; nothing after its end."""
        if self.ending is None:
            self._watch_workers()
            if not self.pool:
                self.finish(run_endings.without_workers(self.pool.last_fate))
        self.finish(ending)
        gevent.killall(self._greenlets, block=False)

    def _on_crash(self, greenlet: gevent.Greenlet) -> None:
        self.abort(run_endings.crashed(greenlet.exception))

    def _watch_workers(self) -> None:
        lost, joined = self.pool.changes()
        if self.book.note_workers(lost, joined):
            self._restart_phase()
        if self.pool.order_silent() or lost or joined or self.pool.is_behind():
            self._share_stage(**self.drills.due)

    def _note_forever(self) -> None:
        while not self.is_over:
            gevent.sleep(1.0)
            if not self.is_over:  # Nothing is recorded behind the end.
                self.recorder.point(self.drills.point(self.position, self._failures))
