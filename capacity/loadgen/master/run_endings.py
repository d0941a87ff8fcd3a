"""How a run can end before its profile is through: the event's kind and its detail."""

from collections.abc import Sequence
from typing import Any

from capacity.domain.errors import GuardError, RunInvalidError, UnreachableError
from capacity.domain.observation import CutOffKind, StepObservation
from capacity.domain.units import counted, step_number
from capacity.planning.safety.trip import Trip

INTERRUPTED = 130
"""Exit code of who is stopped by Ctrl-C, or by a button."""
_KEPT = "kept; capacity plan tells what follows from them"
"""Of steps. Whether a capacity follows is for the plan to say: one that was cut off may have been the first."""
Ending = tuple[str, dict[str, Any]]


def not_reached(last: StepObservation) -> Ending:
    """The ramp of the *last* step timed out: a finding, unless nothing was open at all."""
    assert last.cut_off is not None
    detail = {
        "reason": f"step {step_number(last.index)} asked for {counted(last.step.connections, 'connection')}; "
        f"{last.cut_off.statement}",
        "not_reached": last.index,
    }
    if last.connections_peak and last.cut_off.kind is CutOffKind.NOT_REACHED:
        return "finished", detail
    if last.cut_off.kind is CutOffKind.STOPPED:
        return "aborted", {**detail, "exit_code": RunInvalidError.exit_code}
    # It was there before the run: not its limit is reached, it is gone, or hangs.
    return "aborted", {**detail, "exit_code": UnreachableError.exit_code}


def target_lost(index: int, disturbance: str) -> Ending:
    return "aborted", {
        "reason": f"{disturbance} in step {step_number(index)}; the steps before it are {_KEPT}",
        "exit_code": UnreachableError.exit_code,
    }


def guarded(index: int, trip: Trip) -> Ending:
    return "aborted", {
        "reason": f"the {trip.guard} guard removed the load at step {step_number(index)}: {trip.statement}; "
        f"the steps before it are {_KEPT}",
        "exit_code": GuardError.exit_code,
    }


def drill_guarded(trip: Trip) -> Ending:
    """A storm drill did its target harm."""
    is_dead = trip.kind is CutOffKind.DIED
    return "aborted", {
        "reason": f"the {trip.guard} guard ended the storm drill: {trip.statement}; the steps before it"
        f" are {_KEPT}",
        "exit_code": (UnreachableError if is_dead else GuardError).exit_code,
    }


def without_workers(how_lost: str) -> Ending:
    """The last worker was lost; *how_lost* says what is known of it."""
    return "aborted", {
        "reason": f"the last worker was lost: {how_lost}; the steps before it are {_KEPT}",
        "exit_code": RunInvalidError.exit_code,
    }


def stopped() -> Ending:
    return "aborted", {
        "reason": "the run was stopped before the end of its profile",
        "exit_code": INTERRUPTED,
    }


def stopped_after(index: int) -> Ending:
    return "aborted", {
        "reason": f"the run was stopped when step {step_number(index)} was over, as asked for; its steps are"
        f" {_KEPT}",
        "exit_code": INTERRUPTED,
    }


def stopped_after_drill(number: int) -> Ending:
    return "aborted", {
        "reason": f"the run was stopped when storm drill {number + 1} was over, as asked for; its steps"
        f" are {_KEPT}",
        "exit_code": INTERRUPTED,
    }


def crashed(problem: BaseException | None) -> Ending:
    reason = f"an internal error ended it: {problem!r}"
    if isinstance(problem, OSError):
        reason = (
            f"the record cannot be written any further ({problem.strerror}); free disk space and run"
            " again"
        )
    return "aborted", {"reason": reason, "exit_code": RunInvalidError.exit_code}


def in_words(ending: Ending, steps: Sequence[StepObservation] = ()) -> str:
    """Return how a run ended as a sentence for a page, with what became of its *steps*."""
    kind, detail = ending
    reason = str(detail.get("reason") or detail.get("climbed") or "every step was held")
    if kind == "finished":
        if is_all_void(steps):
            return (
                "The run is finished, and there is nothing to plan from: every step with connections is"
                f" void; the last one: {_loaded(steps)[-1].void}."
            )
        void = sum(step.void is not None for step in steps)
        more = f"; {void} of {counted(len(steps), 'step')} void" if void else ""
        return f"The run is finished: {reason}{more}."
    return f"The run ended early: {reason} (exit code {detail.get('exit_code', 0)})."


def is_all_void(steps: Sequence[StepObservation]) -> bool:
    """Tell whether there are steps with connections, and none of them may be used."""
    return bool(loaded := _loaded(steps)) and all(step.void is not None for step in loaded)


def _loaded(steps: Sequence[StepObservation]) -> list[StepObservation]:
    return [step for step in steps if step.connections_peak]
