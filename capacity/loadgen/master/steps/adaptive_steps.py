"""Climbs with an experiment (workload.experiment) as far as the plan so far allows (planning.climb)."""

import math
from dataclasses import replace

from capacity.domain.errors import RunInvalidError, UnreachableError
from capacity.domain.load import LoadStep
from capacity.domain.observation import CutOff, StepObservation
from capacity.domain.plan import CapacityPlan, Excuse
from capacity.domain.resources import Limit
from capacity.domain.run import RunRecord
from capacity.loadgen.master.run_endings import Ending
from capacity.loadgen.master.workers.merged_counts import MergedCounts
from capacity.planning.evidence.saturated_steps import short_steps
from capacity.planning.evidence.unserved_steps import unserved_steps
from capacity.planning.plan import plan
from capacity.planning.safety.arrival_pace import arrival_pace_per_s
from capacity.planning.safety.climb import Climb, Rules, next_climb
from capacity.planning.safety.hold import HOLD_RATIO, MOST_HOLDS, is_settling
from capacity.planning.safety.opening_pace import opening_pace
from capacity.workload.profiles.experiment import Experiment


class AdaptiveSteps:
    """One experiment, from its first level on."""

    is_search = False
    is_careful = True

    def __init__(
        self,
        experiment: Experiment,
        rules: Rules,
        begun: tuple[LoadStep, ...],
        declared: tuple[Limit, ...],
    ) -> None:
        """Take the steps that are *begun* with: the baseline and the first level."""
        self._experiment = experiment
        self.rules = rules
        self._steps = list(begun)
        self._declared = declared
        self._is_at_top = False
        self._is_down = False
        self._holds = 0
        """How often the highest mix was held on."""
        self._repeated: list[LoadStep] = []
        self._pace_per_s = math.inf
        """Connections a second that the target's processors are asked for at most."""
        self._seen: list[StepObservation] = []
        self.short: CutOff | None = None
        """How the last step was saturated, if it was so twice."""
        self._to_repeat: LoadStep | None = None
        self.reason = ""
        self.answer: CapacityPlan | Excuse | None = None
        """The plan so far."""
        self._decided: Climb | None = None
        self._trouble: str | None = None
        """Why the climb could not go on, where that is no result."""
        self._exit_code = RunInvalidError.exit_code
        """That of the trouble."""

    def after(self, observation: StepObservation, last: MergedCounts) -> None:  # noqa: ARG002
        self._seen.append(observation)
        index = observation.index
        short = unserved_steps([observation]).get(index) or short_steps(self._seen).get(index)
        is_first = short is not None and observation.step not in self._repeated
        # Once may be a disturbance of the host; what lasts is the load's doing.
        self._to_repeat = observation.step if is_first else None
        self.short = None if is_first else short

    def next_steps(self, record: RunRecord) -> tuple[LoadStep, ...]:
        if self._is_down:
            return ()
        if self._to_repeat is not None:
            self._repeated.append(self._to_repeat)
            return (self._to_repeat,)
        last = self._steps[-1]
        if record.is_agent_lost and not self._is_at_top and last not in self._repeated:
            self._repeated.append(last)  # It may come back meanwhile.
            return (last,)
        steps = () if self._is_at_top else self._next_level(record)
        if self._is_at_top:
            steps = self._held_on(record)
            if not steps:
                steps = self._experiment.way_down(self._steps) if self._trouble is None else ()
                self._is_down = True
        self._steps += steps
        return steps

    def _next_level(self, record: RunRecord) -> tuple[LoadStep, ...]:
        levels = sorted({step.connections for step in self._steps if step.connections})
        climb = self._climb(record, levels)
        self.reason, self._decided = climb.reason, climb
        if climb.connections is None:
            self._is_at_top = True
            return ()
        return tuple(
            replace(step, connects_per_s=min(step.connects_per_s, self._pace_per_s))
            for step in self._experiment.level(climb.connections, self._steps)
        )

    def _held_on(self, record: RunRecord) -> tuple[LoadStep, ...]:
        """Return the highest mix for longer, as long as memory rises on it and there is time."""
        if self._trouble is not None or self._holds >= MOST_HOLDS or not is_settling(record):
            return ()
        if self._used_s() >= self.rules.longest_s:
            return ()
        self._holds += 1
        top = max((s for s in self._steps if s.is_mix), key=lambda step: step.connections)
        return (replace(top, plateau_s=HOLD_RATIO * top.plateau_s),)

    def _used_s(self) -> float:
        began_at, ended_at = self._seen[0].started_at, self._seen[-1].plateau_ended_at
        return (ended_at or began_at) - began_at

    def take_decision(self) -> Climb | None:
        """Return what was decided since the last call, if anything."""
        decided, self._decided = self._decided, None
        return decided

    def end(self) -> Ending:
        if self._trouble is None:
            return "finished", {"climbed": self.reason}
        return "aborted", {"reason": self._trouble, "exit_code": self._exit_code}

    def _climb(self, record: RunRecord, levels: list[int]) -> Climb:
        answer = self.answer = plan(record, declared=self._declared)
        if record.is_agent_lost:
            self._exit_code = UnreachableError.exit_code
            self._trouble = (
                f"the agent was lost and did not come back, so nobody sees what more than {levels[-1]}"
                " connections take of the target; find out why it ended (its terminal or log), start it again,"
                " and measure again"
            )
            return Climb(connections=None, reason=self._trouble)
        last = [step for step in self._seen if step.step.connections == levels[-1]]
        void = next((step.void for step in last if step.void is not None), None)
        if void is not None and all(step.void is not None for step in last):
            self._trouble = f"the last level is void: {void}"
            return Climb(connections=None, reason=self._trouble)
        if isinstance(answer, Excuse) and record.manifest.agent is not None:
            self._trouble = f"no capacity so far: {answer.reason}"
            return Climb(connections=None, reason=self._trouble)
        self._pace_per_s = arrival_pace_per_s(record, answer, self.rules.fraction)
        pace = opening_pace(
            self._seen,
            record,
            fewest=self.rules.start,
            profile_per_s=self._experiment.pace.connects_per_s,
            bearable_per_s=self._pace_per_s,
        )
        return next_climb(record, answer, self.rules, levels, pace=pace, used_s=self._used_s())
