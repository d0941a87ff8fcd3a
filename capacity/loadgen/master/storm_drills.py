"""The storm drills of a run, after its last step: who is cut, when a drill is over, what it brought.

A drill is no larger than what was held: its connections, and those that are cut once more, are at most
as many as a step of the full mix held to its end. So the target keeps within the bounds of the climb
even where it has not noticed yet that a client is gone when that comes back.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import gevent

from capacity.domain.answers.storm_drill import UPGRADED, DialAttempt, Retry, StormDrill
from capacity.domain.load import LoadStep
from capacity.domain.observation import StepObservation
from capacity.domain.run import LoadPoint
from capacity.loadgen.checks.preflight import Preflight
from capacity.loadgen.master import run_endings
from capacity.loadgen.master.control_interval import CONTROL_INTERVAL_S
from capacity.loadgen.master.guards.drill_guard import DrillGuard
from capacity.loadgen.master.recorder import Recorder
from capacity.loadgen.master.run_endings import Ending
from capacity.loadgen.master.steps.step_results import FINAL_REPORTS_TIMEOUT_S, StepResults
from capacity.loadgen.master.workers.merged_counts import MergedCounts
from capacity.loadgen.master.workers.worker_pool import WorkerPool
from capacity.loadgen.protocol.instructions import BETWEEN, DrillInstructions
from capacity.planning.safety.trip import Trip
from capacity.settings.profile import Profile, RampProfile, SafeProfile
from capacity.workload.profiles.profile import Position, resized
from capacity.workload.reconnect import LEAST_RETRY_S, Policy, ReconnectPolicy, waits_s

DRILL = -2
"""Index of the stage of a drill: what is counted under it is in no step."""
PHASE = "drill"
LEAST_S = 4.0
"""A drill is watched for so long at least: the agent samples once a second."""
MOST_ATTEMPTS = 20_000
"""That a record keeps of one drill."""


@dataclass(slots=True)
class _Collected:
    """What the workers told of the drill that is on."""

    number: int
    policy: Policy
    began_at: float = 0.0
    began_s: float = field(default_factory=time.monotonic)
    cut: dict[str, int] = field(default_factory=dict)
    attempts: list[tuple[float, float, str]] = field(default_factory=list)
    restored_s: list[float] = field(default_factory=list)
    merged: MergedCounts = field(default_factory=MergedCounts)

    def add(self, worker: str, report: Mapping[str, Any]) -> None:
        self.merged.add(worker, report)
        told = report["drill"]
        if told is None:
            return
        self.cut[worker] = told["cut"]
        self.attempts += [(began, ended, outcome) for began, ended, outcome in told["attempts"]]
        self.restored_s += told["restored_s"]


class StormDrills:
    def __init__(
        self,
        profile: Profile,
        preflight: Preflight,
        pool: WorkerPool,
        results: StepResults,
        recorder: Recorder,
    ) -> None:
        self._storm = profile.storm if isinstance(profile, SafeProfile | RampProfile) else None
        self._settle_s = profile.settle_s
        self._per_user = profile.connections_per_user
        self._preflight = preflight
        pids = preflight.info.target_pids if preflight.info is not None else ()
        self._guard = DrillGuard(profile, preflight.limits, pids)
        self._pool, self._results, self._recorder = pool, results, recorder
        self._before: StepObservation | None = None
        self._step: LoadStep | None = None
        self._on: _Collected | None = None
        self.due: dict[str, Any] = {}
        """What the stage that is due has beside that of the plateau, while a drill is on."""
        self.number: int | None = None
        """Of the drill that is on, or was the last one; None before the first."""

    @property
    def habits(self) -> tuple[Policy, ...]:
        """How clients come back in each drill that follows the step under way; none where none does."""
        return self._storm.habits if self._storm is not None and self._step is not None else ()

    def step_after(
        self, ending: Ending, observations: Sequence[StepObservation]
    ) -> tuple[LoadStep, ...]:
        """Return the step at whose load clients are cut, once, when the others are through."""
        if self._storm is None or self._step is not None or ending[0] != "finished":
            return ()
        self._step = drill_step(observations, self._storm.share_ratio, self._per_user)
        if self._step is None:
            self._skip(
                "no step with the full workload held connections enough to cut a share of them"
            )
            return ()
        return (self._step,)

    def run(
        self,
        ending: Ending,
        share: Callable[..., None],
        watch: Callable[[], None],
        is_last: Callable[[], bool] = lambda: False,
    ) -> Ending:
        """Run the drills that are due, and return how the run ends; *ending* where nothing is wrong.

        *share* tells the workers a stage with changes, *watch* looks after them once an interval;
        once *is_last* says yes, no further drill begins.
        """
        if self._storm is None or self._step is None or ending[0] != "finished":
            return ending
        self._before = self._results.observations[-1]
        if self._before.void is not None:
            self._skip(f"the step before it is void: {self._before.void}")
            return ending
        for number, policy in enumerate(self._storm.habits):
            drill, trip = self._drilled(number, policy, share, watch)
            if trip is not None:
                return run_endings.drill_guarded(trip)
            if drill.aborted is not None or len(drill.restored_s) < drill.cut:
                break
            if number + 1 < len(self._storm.habits):
                self._rest(watch, is_last)
                if is_last():
                    return run_endings.stopped_after_drill(number)
        return ending

    def add(self, worker: str, report: Mapping[str, Any]) -> None:
        """Take what a worker counted, if that is of the drill that is on."""
        if self._on is not None and report["index"] == DRILL:
            self._on.add(worker, report)

    def point(self, position: Position, failures: int) -> LoadPoint:
        """Return the load of this moment, of the drill that is on, if one is."""
        point = self._results.point(position, failures)
        if self._on is None:
            return point
        merged = self._on.merged
        return replace(
            point,
            index=len(self._results.observations),
            phase=PHASE,
            deliveries_per_s=merged.per_s("deliveries"),
            requests_per_s=merged.per_s("requests"),
        )

    def interrupt(self, reason: str) -> None:
        """Record the drill that is on, if one is, as ended before its time."""
        if self._on is not None:
            self._record(self._on, (), reason)

    def _skip(self, reason: str) -> None:
        self._storm = None
        self._recorder.event("storm_skipped", reason=reason)

    def _rest(self, watch: Callable[[], None], is_last: Callable[[], bool]) -> None:
        until_s = time.monotonic() + self._settle_s
        while time.monotonic() < until_s and not is_last():
            gevent.sleep(CONTROL_INTERVAL_S)
            watch()

    def _drilled(
        self, number: int, policy: Policy, share: Callable[..., None], watch: Callable[[], None]
    ) -> tuple[StormDrill, Trip | None]:
        assert self._storm is not None
        since = len(self._recorder.samples)
        self.number, self._on = number, (on := _Collected(number, policy, began_at=time.time()))
        habit = self._storm.model_dump(include={"share_ratio", "base_s", "factor", "cap_s"})
        drill = DrillInstructions(policy=policy, **habit)
        self.due = {"index": DRILL, "phase": PHASE, "drill": drill.as_message()}
        share(**self.due)
        told = {"connections": self._pool.open_connections, "share_ratio": self._storm.share_ratio}
        self._recorder.event("storm", number=number, habit=policy, **told)
        trip, trouble = None, None
        while trip is None and trouble is None and not self._is_over(on):
            gevent.sleep(CONTROL_INTERVAL_S)
            watch()
            if self._results.disturbances:
                trouble = "; ".join(sorted(self._results.disturbances))
            lost = on.merged.total("lost")
            trip = self._guard.harm(self._recorder.samples, since, lost, self._connections)
        if trip is None:
            self.due = {"index": BETWEEN}
            share(**self.due)
            self._await_last_words(on)
            self._recorder.catch_up(time.time())
        signs = self._guard.signs(self._recorder.samples, since)
        statement = trip.statement if trip is not None else trouble
        return self._record(on, signs, statement), trip

    @property
    def _connections(self) -> int:
        assert self._step is not None
        return self._step.connections

    def _is_over(self, on: _Collected) -> bool:
        assert self._storm is not None
        elapsed_s = time.monotonic() - on.began_s
        is_back = self._pool.ids <= on.cut.keys() and len(on.restored_s) >= sum(on.cut.values())
        return elapsed_s >= self._storm.longest_s or (is_back and elapsed_s >= LEAST_S)

    def _await_last_words(self, on: _Collected) -> None:
        deadline_s = time.monotonic() + FINAL_REPORTS_TIMEOUT_S
        while not self._pool.ids <= on.merged.finals and time.monotonic() < deadline_s:
            gevent.sleep(0.02)

    def _record(self, on: _Collected, signs: tuple[str, ...], aborted: str | None) -> StormDrill:
        assert self._storm is not None
        assert self._before is not None
        self._on, self.due = None, {}
        lag = on.merged.quantiles("lag")
        attempts = sorted(on.attempts)
        drill = StormDrill(
            number=on.number,
            began_at=on.began_at,
            ended_at=time.time(),
            habit=Retry(policy=on.policy, waits_s=self._waits_s(on.policy)),
            connections=self._connections,
            cut=sum(on.cut.values()),
            handshake_timeout_s=self._preflight.dialect.ws.open_timeout_s,
            longest_s=self._storm.longest_s,
            attempts=tuple(
                DialAttempt(began_s=began_s, ended_s=ended_s, outcome=outcome)
                for began_s, ended_s, outcome in attempts[:MOST_ATTEMPTS]
            ),
            restored_s=tuple(sorted(on.restored_s)),
            delay_before=self._before.delivery_delay,
            delay_during=on.merged.quantiles("delivery_delay"),
            latency_before=self._before.request_latency,
            latency_during=on.merged.quantiles("request_latency"),
            stayed_lost=on.merged.total("lost"),
            lag_p95_s=lag.p95_s if lag is not None else None,
            signs=signs,
            aborted=aborted,
            left_out=max(0, len(attempts) - MOST_ATTEMPTS),
        )
        self._recorder.storm(drill)
        self._recorder.event("storm_over", **in_short(drill))
        return drill

    def _waits_s(self, policy: Policy) -> tuple[tuple[float, float], ...]:
        assert self._storm is not None
        habit = ReconnectPolicy(
            policy=policy,
            base_s=self._storm.base_s,
            factor=self._storm.factor,
            cap_s=self._storm.cap_s,
        )
        first, *others = waits_s(habit)
        return first, *((max(low, LEAST_RETRY_S), max(high, LEAST_RETRY_S)) for low, high in others)


def drill_step(
    observations: Sequence[StepObservation], share_ratio: float, connections_per_user: int
) -> LoadStep | None:
    """Return the full mix at so many connections that a drill has no more than was held; None if none."""
    held = [
        seen
        for seen in observations
        if seen.step.is_mix and seen.load is not None and seen.void is None and seen.cut_off is None
    ]
    if not held:
        return None
    most = max(held, key=lambda seen: seen.step.connections).step
    users = int(most.connections / (1.0 + share_ratio)) // connections_per_user
    connections = users * connections_per_user
    if connections * share_ratio < 1.0:
        return None
    return replace(resized(most, connections, connections_per_user), churn_per_s=0.0)


def in_short(drill: StormDrill) -> dict[str, Any]:
    """Return what the event of a drill's end says."""
    return {
        "number": drill.number,
        "habit": drill.habit.policy,
        "cut": drill.cut,
        "restored": len(drill.restored_s),
        "last_s": round(drill.restored_s[-1], 3) if drill.restored_s else None,
        "failed": sum(attempt.outcome != UPGRADED for attempt in drill.attempts),
        "aborted": drill.aborted,
    }
