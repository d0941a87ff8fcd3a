"""Why a record carries no plan: the first thing that is missing, with its remedy."""

from collections.abc import Sequence

from capacity.domain import units
from capacity.domain.observation import CutOffKind
from capacity.domain.plan import NoCeiling
from capacity.domain.run import RunRecord
from capacity.domain.words import RESOURCES
from capacity.planning.evidence.missing_evidence import Gap
from capacity.planning.evidence.mix import measured_mix
from capacity.planning.evidence.target_identity import mismatch
from capacity.planning.evidence.updates import no_updates
from capacity.planning.evidence.windows import Window, is_usable, levels, restarts

FEWEST_LEVELS = 2

START_REMEDIES = {
    CutOffKind.NOT_REACHED: "See why the target admits no more (its log, its own limits), or begin"
    " with fewer: start in the profile.",
    CutOffKind.REFUSED: "See the reason of the refusals: credentials, a cap for one client address"
    " (give source_addresses), or a limit of the target; then begin with fewer: start in the profile.",
    CutOffKind.SILENT: "Find out what the target waits for (its log, its threads); measure again when"
    " it answers.",
    CutOffKind.LOST: "Look into the target's log at that time, and check that the dialect says what"
    " the target expects (capacity doctor).",
    CutOffKind.DIED: "Find out in the target's log why it ended; it did not hold even this load.",
    CutOffKind.OBJECTIVE: "The target misses its objective with this load already: begin with fewer"
    " (start in the profile), or look whether the objective is meant for this feed.",
    CutOffKind.SATURATED: "Begin with fewer connections (start in the profile).",
    CutOffKind.GUARDED: "Begin with fewer connections and more slowly: start and connects_per_s in"
    " the profile.",
}


def why_no_fit(record: RunRecord, windows: Sequence[Window]) -> Gap | None:
    """Return what is missing for a fit, if anything; *windows* are those of one life."""
    return (
        _why_no_readings(record)
        or mismatch(record)
        or (_what_ended_it(record) if measured_mix(record.steps) is None else None)
        or (None if any(is_usable(step) for step in record.steps) else _why_no_step(record))
        or no_updates(record)
        or _why_no_fit_of(record, windows)
    )


def _why_no_readings(record: RunRecord) -> Gap | None:
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
    return None


def _why_no_fit_of(record: RunRecord, windows: Sequence[Window]) -> Gap | None:
    if levels(windows) < FEWEST_LEVELS or not any(w.load.connections > 0 for w in windows):
        return _why_no_levels(record, windows)
    return _why_no_mix(record) if measured_mix(record.steps) is None else None


def _why_no_mix(record: RunRecord) -> Gap:
    return Gap(
        f"0 of {units.counted(len(record.steps), 'step')} carried the profile's full mix, and a"
        " capacity for another load would not be what was asked.",
        "See the failures step by step, and measure again once the first level is held.",
    )


def _what_ended_it(record: RunRecord) -> Gap | None:
    """Return what the first level ran into, None if nothing cut it off."""
    cut = [step for step in record.steps if step.cut_off is not None and step.void is None]
    if not cut or cut[0].cut_off is None:
        return None
    ended, step = cut[0].cut_off, cut[0].step
    if ended.kind is CutOffKind.STOPPED:
        return Gap(
            f"The run ended before its first level was held: {ended.statement}.",
            "Measure again and let it finish; a first answer needs the first level of the profile.",
        )
    load = "with its full load" if step.is_mix else "idle"
    return Gap(
        f"The first level of {units.counted(step.connections, 'connection')} ({load}) was not held:"
        f" {ended.statement}.",
        START_REMEDIES[ended.kind],
    )


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
