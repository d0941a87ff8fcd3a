"""Why a record carries no plan: the first thing that is missing, with its remedy."""

from collections.abc import Sequence
from dataclasses import dataclass

from capacity.domain import units
from capacity.domain.plan import NoCeiling
from capacity.domain.run import RunRecord
from capacity.domain.words import RESOURCES
from capacity.planning.windows import Window, is_usable, levels, restarts

FEWEST_LEVELS = 2


@dataclass(frozen=True, slots=True)
class Gap:
    """What is missing for a plan, and what would fill it."""

    reason: str
    remedy: str


def why_no_fit(record: RunRecord, windows: Sequence[Window]) -> Gap | None:
    """Return what is missing for a fit, if anything; *windows* are those of one life."""
    if record.manifest.agent is None:
        return Gap(
            "The run had no agent, so 0 readings of the target's resources exist.",
            "Start `capacity agent` on the target's host, name it in the target file, measure again.",
        )
    if not record.samples:
        return Gap(
            "The agent answered, but 0 samples were recorded.",
            "Look at the agent and at the network between it and the recorder, and measure again.",
        )
    if not any(is_usable(step) for step in record.steps):
        return _why_no_step(record)
    if levels(windows) < FEWEST_LEVELS or not any(w.load.connections > 0 for w in windows):
        return _why_no_levels(record, windows)
    return None


def why_no_wall(no_ceiling: Sequence[NoCeiling]) -> Gap:
    """Return what is missing when not one resource has a ceiling."""
    reasons = "; ".join(f"{RESOURCES[entry.resource]}: {entry.reason}" for entry in no_ceiling)
    return Gap(
        f"0 of {len(no_ceiling)} resources have a known limit and a measurable cost ({reasons}).",
        "Load more connections so that their cost shows, and declare limits that cannot be read.",
    )


def _why_no_step(record: RunRecord) -> Gap:
    total = len(record.steps)
    void = [step for step in record.steps if step.void is not None]
    if not total:
        return Gap(
            "The run ended before its first step was done: 0 steps are recorded.",
            f"Measure again, to the end of at least {FEWEST_LEVELS} steps.",
        )
    if len(void) == total:
        return Gap(
            f"{'The only step is' if total == 1 else f'All {total} steps are'} void, by the"
            " generator's fault and not the target's;"
            f" step {void[0].index} because: {void[0].void}.",
            "Add workers (--workers) or a second generator host, and measure again.",
        )
    return Gap(
        f"0 of {units.counted(total, 'step')} reached a plateau that can be used"
        f" ({len(void)} void).",
        "Ask for fewer connections, allow more ramp_timeout_s, or see the failures step by step.",
    )


def _why_no_levels(record: RunRecord, windows: Sequence[Window]) -> Gap:
    usable = [step for step in record.steps if is_usable(step)]
    asked = {step.step.connections for step in usable}
    changes = restarts(record.samples)
    if changes and len(asked) >= FEWEST_LEVELS:
        return Gap(
            f"The target restarted {units.counted(changes, 'time')}, and no life of it saw"
            f" {FEWEST_LEVELS} connection levels.",
            "Find out why it restarts, and measure again.",
        )
    if not windows:
        return Gap(
            f"0 samples lie on the plateaus of the {units.counted(len(usable), 'usable step')} with"
            " the target alive.",
            "Check the agent, the target and both clocks, and use plateaus of several seconds.",
        )
    if levels(windows) >= FEWEST_LEVELS:
        return Gap(
            f"0 of {units.counted(len({window.step for window in windows}), 'plateau')} with samples"
            " carried a connection.",
            "See the failures step by step, and check that the target accepts connections.",
        )
    return Gap(
        f"Only 1 connection level has samples"
        f" ({units.counted(windows[0].asked_connections, 'connection')});"
        f" a cost per connection needs {FEWEST_LEVELS}.",
        f"Use a profile with at least {FEWEST_LEVELS} levels, better 4, and a baseline.",
    )
