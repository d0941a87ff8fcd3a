"""Turns a search (workload.search) into steps, and judges them (acceptance).

After a step that fails the target is relieved to half of what it held, and must pass there before
the next count: a search on top of an overloaded target would find the limit of its overload.
"""

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from capacity.domain.errors import ConfigError
from capacity.domain.load import LoadStep
from capacity.domain.observation import StepObservation
from capacity.domain.run import RunRecord
from capacity.domain.units import count, step_number
from capacity.loadgen.master.guards.acceptance import Miss, miss_of, surely_received_per_s
from capacity.loadgen.master.workers.merged_counts import MergedCounts
from capacity.planning.evidence.unserved_steps import unserved_in
from capacity.recording.run_directory import load
from capacity.settings.profile import BreakProfile, Profile
from capacity.settings.target import Target
from capacity.settings.targets.slo import Slo
from capacity.workload.profiles.profile import resized
from capacity.workload.profiles.search import Bounds, Trial, bracket_of, next_trial

TRIAL = "trial"
"""The kind of event that a later search goes on from."""
MOST_VOIDS = 2
"""Steps in a row that say nothing of the target before the search gives up."""
MOST_RELIEFS = 3
"""Times that a relieved target is asked whether it recovered: it may need longer than one step."""


class LimitSearch:
    """One search. *pattern* is a step of its mix; *earlier* are trials of one that it continues."""

    is_search = True
    is_careful = False

    def __init__(
        self, profile: BreakProfile, pattern: LoadStep, slo: Slo | None, earlier: Sequence[Trial]
    ) -> None:
        self._pattern = pattern
        self._connections_per_user = profile.connections_per_user
        self._slo = slo
        self._bounds = Bounds(
            start=profile.start,
            limit=profile.limit,
            growth=profile.growth,
            precision_ratio=profile.precision_ratio,
            plateau_s=profile.plateau_s,
            longest_plateau_s=profile.longest_plateau_s or profile.plateau_s,
        )
        self.trials = list(earlier)
        self._misses: dict[int, Miss] = {}
        self._usual_per_s = 0.0
        self._relief_due: int | None = None
        self._is_relief = False
        self._reliefs_missed = 0
        self._voids = 0
        self._trouble: tuple[str, int] | None = None
        """Why the search cannot go on, and the exit code for it."""

    def first_step(self) -> LoadStep:
        """Return what to begin with. Raises ConfigError when the trials there are say it all."""
        step = self.next_step()
        if step is None:
            _kind, detail = self.end()
            raise ConfigError(f"that search is complete: {detail['reason']}")
        return step

    def next_steps(self, record: RunRecord) -> tuple[LoadStep, ...]:  # noqa: ARG002 - trials tell all
        step = self.next_step()
        return () if step is None else (step,)

    def next_step(self) -> LoadStep | None:
        """Return what to offer next; None when the search is over."""
        if self._trouble is not None:
            return None
        due = next_trial(self._bounds, self.trials)
        if due is None:
            return None
        connections, plateau_s = due
        self._is_relief = self._relief_due is not None
        if self._relief_due is not None:
            connections, plateau_s = self._relief_due, self._bounds.plateau_s
            self._relief_due = None
        due_step = resized(self._pattern, connections, self._connections_per_user)
        return replace(due_step, plateau_s=plateau_s)

    def after(self, observation: StepObservation, last: MergedCounts) -> dict[str, Any] | None:
        """Take a step that is over; return what is to be recorded of it as a trial."""
        if observation.void is not None:
            self._note_void(observation)
            return None
        self._voids = 0
        slo = None if self._is_relief else self._slo  # Recovered is who serves all again.
        miss = miss_of(observation, last, slo, self._usual_per_s)
        if self._is_relief:
            self._note_relief(observation, miss)
            return None
        if miss is None:
            self._usual_per_s = max(self._usual_per_s, surely_received_per_s(observation))
        trial = Trial(
            connections=observation.step.connections,
            plateau_s=observation.step.plateau_s,
            failure=miss.condition if miss is not None else None,
            held=observation.connections_peak - unserved_in(observation),
        )
        self.trials.append(trial)
        if miss is not None:
            self._misses[trial.connections] = miss
            held = bracket_of(self.trials).last_passing or min(trial.held, trial.connections)
            self._relief_due = max(1, held // 2)
        return {**asdict(trial), "reason": miss.statement if miss is not None else "it held"}

    def end(self) -> tuple[str, dict[str, Any]]:
        """Return the kind of end and its detail: the bracket, and what failed above it."""
        bracket = bracket_of(self.trials)
        failing = bracket.first_failing
        miss = self._misses.get(failing) if failing is not None else None
        detail = {**asdict(bracket), "binding_slo": asdict(miss) if miss is not None else None}
        reason = _sentence(bracket.last_passing, bracket.first_failing, miss)
        if self._trouble is None:
            return "finished", {**detail, "reason": reason}
        trouble, code = self._trouble
        detail["reason"] = f"{trouble}; {reason}"
        return ("aborted", {**detail, "exit_code": code}) if code else ("finished", detail)

    def _note_relief(self, observation: StepObservation, miss: Miss | None) -> None:
        """Have a relief that failed repeated; a target that stays down ends the search."""
        self._reliefs_missed = 0 if miss is None else self._reliefs_missed + 1
        if miss is None:
            return
        self._relief_due = observation.step.connections
        if self._reliefs_missed == MOST_RELIEFS:
            code = 0 if observation.connections_peak else 4
            self._trouble = f"the target did not recover: {miss.statement}", code

    def _note_void(self, observation: StepObservation) -> None:
        """Have the step repeated; a trouble that comes again stays."""
        self._voids += 1
        if self._voids > MOST_VOIDS:
            self._trouble = f"step {step_number(observation.index)} is void: {observation.void}", 5
        if self._is_relief:
            self._relief_due = observation.step.connections


def trials_to_resume(run: Path, target: Target, profile: Profile) -> list[Trial]:
    """Return the trials of the search in *run*. Raises ConfigError when it was another question."""
    if not isinstance(profile, BreakProfile):
        raise ConfigError(
            f"only a limit search can be resumed; {profile.name} is of kind {profile.kind}"
        )
    record = load(run)
    asked = {"target": target.name, "mix": profile.mix.model_dump(mode="json")}
    answered = {
        "target": record.manifest.target.name,
        "mix": record.manifest.profile.get("mix"),
    }
    for key, value in asked.items():
        if answered[key] != value:
            raise ConfigError(
                f"{run}: its {key} is {answered[key]}, not {value}, so its trials do not apply here"
            )
    return trials_of(record)


def trials_of(record: RunRecord) -> list[Trial]:
    """Return the trials of a recorded search."""
    return [
        Trial(
            connections=int(event.detail["connections"]),
            plateau_s=float(event.detail["plateau_s"]),
            failure=event.detail["failure"],
            held=int(event.detail["held"]),
        )
        for event in record.events
        if event.kind == TRIAL
    ]


def _sentence(last_passing: int | None, first_failing: int | None, miss: Miss | None) -> str:
    held = (
        "no count was held"
        if last_passing is None
        else f"{count(last_passing)} connections were held"
    )
    if first_failing is None:
        return f"{held}, and nothing broke"
    because = f": {miss.statement}" if miss is not None else ""
    return f"{held}, {count(first_failing)} failed{because}"
