"""The master's part in a run: which load is due, when a step is over, what is recorded.

The profile is a table of steps (workload.profile), the workers count (ledger), the agent samples;
the conductor moves the position on a fixed beat and writes down what comes together.
"""

from locust.env import Environment

import math
import time
from pathlib import Path
from typing import Any

import gevent

from capacity.domain.errors import GuardError
from capacity.domain.load import LoadStep
from capacity.domain.observation import StepObservation
from capacity.domain.run import LoadPoint
from capacity.loadgen import messages
from capacity.loadgen.crew import Crew
from capacity.loadgen.guarding import Guard
from capacity.loadgen.muster import muster
from capacity.loadgen.observing import observe
from capacity.loadgen.orders import orders_of
from capacity.loadgen.preflight import Preflight, check
from capacity.loadgen.recorder import Recorder
from capacity.loadgen.tally import Tally
from capacity.settings.profile import Profile
from capacity.settings.target import Target
from capacity.workload.profile import START, Phase, Position, StepNotReachedError, advance

BEAT_S = 0.1
FINAL_REPORTS_TIMEOUT_S = 3.0
LOST_SHARE = 0.5
"""A target that drops more than this of a step's connections is gone, or as good as."""
WORKER_LOST = "a worker was lost"
WORKER_JOINED = "a worker joined"
SPAWNS_PER_S = 100.0
"""Locust's users are only greenlets that queue at the turnstile, which sets the arrival rate."""
SPAWNS_PER_CONNECT = 2.0
"""They are there before their turn: Locust starts a second's users at once, chance hurries some."""


class Conductor:
    """Drives one run from the first tick of the load shape to its last plateau."""

    def __init__(
        self, environment: Environment, target: Target, profile: Profile, run: Path, workers: int
    ) -> None:
        """Check everything and open the record. Raises CapacityError when the run cannot be."""
        self._environment = environment
        self.target = target
        self.profile = profile
        self.preflight: Preflight = check(target, profile, workers=muster(environment, target))
        self.recorder = Recorder(run, target, profile, self.preflight, workers)
        self.steps: tuple[LoadStep, ...] = self.preflight.steps
        self.observations: list[StepObservation] = []
        self.is_over = False
        self.exit_code = 0
        self._closing: gevent.Greenlet | None = None
        self._position: Position = START
        self._times: dict[int, dict[Phase, float]] = {}
        self._tallies: dict[int, dict[Phase, Tally]] = {}
        self._disturbances: set[str] = set()
        self._connections_peak = 0
        self._failures = 0
        self._guard = Guard(profile.guards, self.preflight.limits)
        self._started_s = time.monotonic()
        self._pollers = self._poller_count()
        self._crew = Crew(environment, orders_of(target, profile, self.preflight))
        self._greenlets: list[gevent.Greenlet] = []

    def begin(self) -> None:
        """Begin the first step. Apart from opening the record: what is open can be ended."""
        self._greenlets = [gevent.spawn(self._beat_forever), gevent.spawn(self._note_forever)]
        for greenlet in (*self._greenlets, self.recorder.fetching):
            if greenlet is not None:
                greenlet.link_exception(self._on_crash)
        self._begin_phase()

    # What the load shape asks for -----------------------------------------------------------

    def users_due(self) -> tuple[int, float] | None:
        """Return Locust's users and spawn rate for now; None when the run is over."""
        if self.is_over:
            return None
        step = self.steps[self._position.index]
        subscribers = math.ceil(step.connections / self.profile.connections_per_user)
        # Changes when a newcomer is first heard: Locust then starts those of its users again that
        # it had started before the orders were there.
        spawns_per_s = max(step.connects_per_s * SPAWNS_PER_CONNECT, SPAWNS_PER_S)
        rate_per_s = spawns_per_s * max(1, self._crew.heard)
        return subscribers + self._pollers, rate_per_s

    def _poller_count(self) -> int:
        busiest_per_s = max(step.requests_per_s for step in self.steps)
        count = math.ceil(busiest_per_s * self.profile.poll_interval_s)
        for user_class in self._environment.user_classes:
            if user_class.fixed_count or user_class.weight == 0:
                user_class.fixed_count = count
                return count
        return 0

    # What the workers say --------------------------------------------------------------------

    def on_counts(self, worker: str, report: dict[str, Any]) -> None:
        self._crew.note(worker, report["gauges"])
        self._failures += sum(report["failures"].values())
        self.recorder.unmatched(report["examples"])
        open_connections = self.open_connections
        self._connections_peak = max(self._connections_peak, open_connections)
        if report["index"] < 0:
            return
        tally = self._tally(report["index"], Phase(report["phase"]))
        tally.add(worker, report)
        if self._crew.heard == len(self._crew):
            tally.open_connections.append(open_connections)

    @property
    def open_connections(self) -> int:
        return self._crew.open_connections

    @property
    def users(self) -> int:
        return self._crew.users

    @property
    def position(self) -> Position:
        return self._position

    def _tally(self, index: int, phase: Phase) -> Tally:
        return self._tallies.setdefault(index, {}).setdefault(phase, Tally())

    # The beat --------------------------------------------------------------------------------

    def _beat_forever(self) -> None:
        while not self.is_over:
            gevent.sleep(BEAT_S)
            self._watch_workers()
            if not self._crew:
                self._end_without_workers()
                return
            elapsed_s = time.monotonic() - self._started_s
            try:
                position = advance(self.steps, self._position, elapsed_s, self.open_connections)
            except StepNotReachedError:
                self._end_step_not_reached()
                return
            if self._is_guarded():
                return
            if position is None:
                self._crew.tell(messages.END)
                self._close_step(ended_at=time.time())
                self.finish("finished", {})
                return
            if position is not self._position:
                self._move_to(position)
            elif self._is_target_lost():
                return

    def _move_to(self, position: Position) -> None:
        before, self._position = self._position, position
        now_at = time.time()
        self._begin_phase()
        if position.index != before.index:
            self._close_step(ended_at=now_at)

    def _begin_phase(self) -> None:
        position, step = self._position, self.steps[self._position.index]
        self._share_stage()
        self._times.setdefault(position.index, {})[position.phase] = time.time()
        self.recorder.event(
            "phase",
            index=position.index,
            phase=position.phase.value,
            connections=step.connections,
            steps=len(self.steps),
        )

    def _share_stage(self) -> None:
        """Tell every worker its share of the stage that is due."""
        position, step = self._position, self.steps[self._position.index]
        shares = max(1, len(self._crew))
        self._crew.tell(
            messages.STAGE,
            {
                "index": position.index,
                "phase": position.phase.value,
                "subscriptions_per_connection": step.subscriptions_per_connection,
                "requests_per_s": step.requests_per_s / shares,
                "connects_per_s": step.connects_per_s / shares,
            },
        )

    def _close_step(self, *, ended_at: float) -> None:
        """Wait for the last word of every worker on the step before, then record it."""
        index = len(self.observations)
        times = self._times.pop(index)
        last = list(times)[-1]
        deadline_s = time.monotonic() + FINAL_REPORTS_TIMEOUT_S
        tally = self._tally(index, last)
        while not self._crew.ids <= tally.finals and time.monotonic() < deadline_s:
            gevent.sleep(0.02)
        if not self._crew.ids <= tally.finals:
            silent = len(self._crew.ids - tally.finals)
            self._disturbances.add(f"{silent} worker(s) did not report in time")
        observation = observe(
            index=index,
            step=self.steps[index],
            times=times,
            ended_at=ended_at,
            tallies=self._tallies.pop(index),
            connections_peak=self._connections_peak,
            users=self.users,
            workers=len(self._crew),
            disturbances=self._disturbances,
        )
        self.observations.append(observation)
        self.recorder.step(observation, tally.histograms)
        self._connections_peak = self.open_connections
        self._disturbances = set()

    # How a run ends ---------------------------------------------------------------------------

    def _end_step_not_reached(self) -> None:
        step = self.steps[self._position.index]
        self._crew.tell(messages.END)
        self._close_step(ended_at=time.time())
        last = self.observations[-1]
        detail = {
            "reason": f"step {last.index} asked for {step.connections} connections; the target "
            f"held {last.connections_peak} and admitted no more within {step.ramp_timeout_s:.0f} s",
            "not_reached": last.index,
        }
        if last.connections_peak:
            self.finish("finished", detail)
        else:  # It was there before the run: not its limit is reached, it is gone.
            self.finish("aborted", {**detail, "exit_code": 4})

    def _is_target_lost(self) -> bool:
        step = self.steps[self._position.index]
        held = self.open_connections
        expected = min(step.connections, self._connections_peak)
        if held >= expected * LOST_SHARE or self._disturbances & {WORKER_LOST, WORKER_JOINED}:
            return False
        self._disturbances.add(f"the target dropped {expected - held} of {expected} connections")
        self._crew.tell(messages.END)
        if self._position.phase is Phase.PLATEAU:
            self._close_step(ended_at=time.time())
        self.finish(
            "aborted",
            {
                "reason": f"the target dropped {expected - held} of {expected} connections in step "
                f"{self._position.index}; the steps before it are kept",
                "exit_code": 4,
            },
        )
        return True

    def _is_guarded(self) -> bool:
        """Tell whether a guard has ended the run: the load is off, the steps before it are kept."""
        trip = self._guard.trip(
            self.recorder.samples, self._tally(self._position.index, self._position.phase)
        )
        if trip is None:
            return False
        self._crew.tell(messages.END)
        self.recorder.event("guard", guard=trip.guard, reason=trip.statement)
        self.finish(
            "aborted",
            {
                "reason": f"the {trip.guard} guard took the load off in step {self._position.index}: "
                f"{trip.statement}; the steps before it are kept",
                "exit_code": GuardError.exit_code,
            },
        )
        return True

    def _end_without_workers(self) -> None:
        self.finish(
            "aborted",
            {"reason": "the last worker was lost; the steps before it are kept", "exit_code": 5},
        )

    def finish(self, kind: str, detail: dict[str, Any]) -> None:
        """Close the record, once; a later call waits until the first one is done."""
        if self._closing is None:
            # In a greenlet of its own: Locust may kill the caller's while the record is closed.
            self._closing = gevent.spawn(self._close_record, kind, detail)
        self._closing.join()

    def _close_record(self, kind: str, detail: dict[str, Any]) -> None:
        self.exit_code = detail.get("exit_code", 0)
        try:
            self._crew.tell(messages.END)
            self.recorder.close(kind, detail)
        finally:
            # Last, because Locust may end the process as soon as the load shape says so.
            self.is_over = True

    def abort(self, reason: str, exit_code: int) -> None:
        """End a run that Locust stops before its profile is through; nothing after its end."""
        if self._closing is None:
            self._watch_workers()
            if not self._crew:
                self._end_without_workers()
        self.finish("aborted", {"reason": reason, "exit_code": exit_code})
        gevent.killall(self._greenlets, block=False)

    def _on_crash(self, greenlet: gevent.Greenlet) -> None:
        problem = greenlet.exception
        reason = f"an internal error ended it: {problem!r}"
        if isinstance(problem, OSError):
            reason = (
                f"the record cannot be written on ({problem.strerror}); make room and run again"
            )
        self.abort(reason, exit_code=5)

    # What is watched beside -------------------------------------------------------------------

    def _watch_workers(self) -> None:
        lost, joined = self._crew.changes()
        for worker in lost:
            self._disturbances.add(WORKER_LOST)
            self.recorder.event("worker_lost", worker=worker)
        for worker in joined:
            self._disturbances.add(WORKER_JOINED)
            self.recorder.event("worker_joined", worker=worker)
        if self._crew.order_silent() or lost or joined:
            self._share_stage()

    def _note_forever(self) -> None:
        while not self.is_over:
            gevent.sleep(1.0)
            tally = self._tallies.get(self._position.index, {}).get(self._position.phase, Tally())
            self.recorder.point(
                LoadPoint(
                    at=time.time(),
                    index=self._position.index,
                    phase=self._position.phase.value,
                    users=self.users,
                    open_connections=self.open_connections,
                    deliveries_per_s=tally.per_s("deliveries"),
                    requests_per_s=tally.per_s("requests"),
                    failures=self._failures,
                )
            )
