"""The master's part in a run: which load is due, when a step is over, what is recorded.

The profile is a table of steps (workload.profile), the workers count (counters), the agent samples;
the controller moves the position at a fixed interval and writes down what comes together.
"""

from locust.env import Environment

from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import gevent

from capacity.domain.load import LoadStep
from capacity.domain.observation import CutOff, CutOffKind, StepObservation
from capacity.loadgen.master import run_endings
from capacity.loadgen.master.closing import Closing
from capacity.loadgen.master.control_interval import await_interval
from capacity.loadgen.master.guards.distress import Distress
from capacity.loadgen.master.guards.guard_watch import Guard
from capacity.loadgen.master.guards.newcomers import RefusedClients
from capacity.loadgen.master.guards.shutdown_words import ShutdownWords
from capacity.loadgen.master.open_run import AskedRun, OpenRun
from capacity.loadgen.master.run_endings import Ending
from capacity.loadgen.master.run_events import Seen, seen_in
from capacity.loadgen.master.run_reader import RunReader
from capacity.loadgen.master.run_states import Action, action_on
from capacity.loadgen.master.steps.ramp_progress import RampProgress
from capacity.loadgen.master.steps.step_turns import StepTurns
from capacity.loadgen.master.workers.assignments import is_careful
from capacity.loadgen.master.workers.load_shares import LoadShares
from capacity.loadgen.protocol.instructions import BETWEEN
from capacity.planning.safety.trip import Trip
from capacity.workload.profiles.profile import Phase, Position, ramp_of


class Controller(OpenRun):
    """Drives one run from the first tick of the load shape to its last plateau."""

    def __init__(self, environment: Environment, asked: AskedRun) -> None:
        """Open the run, as OpenRun does. Raises CapacityError when it cannot be."""
        super().__init__(environment, asked)
        self._closing = Closing(self._close_record)
        self.stops_after_step = False
        """Somebody wants the run to end when the step that is under way is over."""
        self._failures = 0
        preflight, careful = self.preflight, is_careful(self.profile)
        pids = preflight.info.target_pids if preflight.info is not None else ()
        self._guard = Guard(self.profile, preflight.limits, self.target.slo, pids)
        is_careful_course, has_agent = self.course.is_careful, preflight.agent is not None
        self._distress = Distress(self._guard, is_careful=is_careful_course, has_agent=has_agent)
        self._shutdown = ShutdownWords()
        self._refused = RefusedClients(self.target, preflight.dialect, preflight.private_dialect)
        self._progress = RampProgress()
        self._shares = LoadShares(self.pool, self._distress, is_careful=careful)
        self._reader = RunReader(
            *(self.profile, self.pool, self.results, self.recorder),
            self._progress if careful else None,
            is_search=self.course.is_search,
        )
        self._turns = StepTurns(self.results, self.recorder, self.course, self.forecasts)
        self._greenlets: list[gevent.Greenlet] = []

    def begin(self) -> None:
        """Begin the first step. Apart from opening the record: what is open can be ended."""
        self._greenlets = [gevent.spawn(self._control_forever), gevent.spawn(self._note_forever)]
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
        self._shutdown.note(self.position.index, report["said"])
        self._refused.note(report, self.recorder.event)
        self._progress.note(self.open_connections, self.elapsed_s)
        self.results.add(worker, report)
        self.drills.add(worker, report)

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

    def _control_forever(self) -> None:
        while self.ending is None:
            stood_s = await_interval()
            if stood_s:  # Not the target's fault; what came meanwhile is read before it is judged.
                self.position = replace(self.position, since_s=self.position.since_s + stood_s)
                self._progress.forgive(stood_s)
            if self.ending is not None:
                return
            self._watch_workers()
            reading = self._reader.read(self.steps, self.position, self.elapsed_s)
            seen = seen_in(reading, self._distress)
            if seen is not None:
                phase = reading.position.phase
                self._do(action_on(seen.event, phase, is_search=reading.is_search), seen)

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
                run_endings.without_workers(self.pool.last_loss)
            ),
        }
        doing[action]()

    def _begin_step(self, position: Position) -> None:
        if self.stops_after_step:
            self._follow()
        elif not self._is_guarded_from(self.steps[position.index]):
            self._move_to(position)

    def _give_up(self, statement: str) -> None:
        self.results.disturbances.add(statement)
        self._follow()

    def _move_to(self, position: Position) -> None:
        before, self.position = self.position, position
        now_at = self.recorder.now()
        self._begin_phase()
        if position.index != before.index:
            self._close_step(now_at)

    def _begin_phase(self) -> None:
        if self.position.phase is Phase.RAMP:
            known = (self.steps, self.position.index)
            self.position = ramp_of(
                *(self.position, self.steps, self.profile),
                connects_per_s=self._shares.connects_per_s(*known),
                missing_s=self._users_due.missing_s(*known, self.pool.users, self.pool.heard),
            )
            self._progress.begin(self.open_connections, self.elapsed_s + self.position.held_s)
            self._expect_arrivals()
        position, step = self.position, self.step
        self._distress.begin(position.phase, self.recorder.samples)
        self._share_stage()
        self.results.begin(position)
        self.recorder.event(
            "phase",
            index=position.index,
            phase=position.phase.value,
            connections=step.connections,
            steps=self.total_steps,
        )

    def _expect_arrivals(self) -> None:
        """Tell the ramp how far apart arrivals are at the pace that is due now."""
        known = (self.steps, self.position.index, self.profile.arrivals)
        self._progress.gap_s = self._shares.longest_gap_s(*known)

    def _share_stage(self, **changes: Any) -> None:
        """Tell every worker its share of the stage that is due."""
        self._shares.tell(self.steps, self.position, **changes)

    def _close_step(
        self, ended_at: float | None = None, cut_off: CutOff | None = None
    ) -> StepObservation:
        return self._turns.close(self.steps, ended_at=ended_at, cut_off=cut_off)

    def _follow(self) -> None:
        """Close the step that is over, then begin what the course says, or end the run."""
        self._share_stage(index=BETWEEN)
        closed = self._close_step()
        if self.stops_after_step:
            self.finish(run_endings.stopped_after(closed.index))
            return
        steps = self._turns.next_after(closed)
        if isinstance(steps, Trip):
            self._end_guarded(closed.index, steps)
            return
        if self.ending is not None:
            return  # Somebody has ended the run while this was found out.
        if not (steps := steps or self.drills.step_after(self.course.end(), self.observations)):
            doing = self._share_stage, self._watch_workers, lambda: self.stops_after_step
            self.finish(self.drills.run(self.course.end(), *doing))
        elif self.course.is_search or not self._is_guarded_from(steps[0]):
            index = len(self.steps)
            self.steps += steps
            self.position = Position(index=index, phase=Phase.RAMP, since_s=self.elapsed_s)
            self._begin_phase()

    def _end_unreached(self) -> None:
        self.pool.end()
        cut_off = self.results.unreached(self.step)
        told = self._shutdown.told(self.position.index, cut_off.statement)
        cut_off = replace(cut_off, statement=told)
        if self.ending is None:
            closed = self._close_step(cut_off=cut_off)
            self._try_newcomers(closed)
            self.finish(run_endings.not_reached(closed))

    def _try_newcomers(self, closed: StepObservation) -> None:
        """Note whether a target that refused lets newcomers in, now that the load is off."""
        per_s = self._shares.connects_per_s(self.steps, closed.index)
        self._refused.tell_newcomers(closed, per_s, self.recorder.event)

    def _end_lost(self, statement: str, kind: CutOffKind) -> None:
        self.pool.end()
        index = self.position.index
        statement = self._shutdown.told(index, statement)
        self._try_newcomers(self._close_step(cut_off=self.results.cut_off(kind, statement)))
        self.finish(run_endings.target_lost(index, statement))

    def _slow_down(self, trip: Trip) -> None:
        self._restart_phase()
        self._expect_arrivals()
        self._share_stage()
        rate_per_s = round(self._shares.connects_per_s(self.steps, self.position.index), 1)
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
        if trip.kind in (CutOffKind.LOST, CutOffKind.DIED):
            trip = replace(trip, statement=self._shutdown.told(self.position.index, trip.statement))
        self._turns.cut_off(self.steps, trip, is_ahead=is_ahead)
        self.recorder.event("guard", **asdict(trip))
        self._try_newcomers(self.observations[-1])
        self.finish(run_endings.guarded(index, trip))
        return True

    def finish(self, ending: Ending) -> None:
        """Close the record, once; a later call waits until the first one is done."""
        self._closing.begin(ending)

    def _close_record(self, kind: str, detail: dict[str, Any]) -> None:
        self.drills.interrupt(str(detail.get("reason", kind)))
        self.pool.end()
        self.results.await_close()
        if self.results.has_open_step:
            reason = str(detail.get("reason", kind))
            self._close_step(cut_off=self.results.cut_off(CutOffKind.STOPPED, reason))
        self.recorder.close(kind, detail)

    def abort(self, ending: Ending) -> None:
        """End a run that Locust stops before its profile is through; nothing after its end."""
        if self.ending is None:
            self._watch_workers()
            if not self.pool:
                self.finish(run_endings.without_workers(self.pool.last_loss))
        self.finish(ending)
        gevent.killall(self._greenlets, block=False)

    def _on_crash(self, greenlet: gevent.Greenlet) -> None:
        self.abort(run_endings.crashed(greenlet.exception))

    def _watch_workers(self) -> None:
        lost, joined = self.pool.changes()
        if self.results.note_workers(lost, joined):
            self._restart_phase()
        if self.pool.order_silent() or lost or joined or self.pool.is_behind():
            self._share_stage(**self.drills.due)

    def _note_forever(self) -> None:
        while not self.is_over:
            gevent.sleep(1.0)
            if not self.is_over:  # Nothing is recorded behind the end.
                self.recorder.point(self.drills.point(self.position, self._failures))
