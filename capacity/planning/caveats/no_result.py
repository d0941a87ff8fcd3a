"""Why a record carries no plan: the first thing that is missing, with its remedy."""

from collections.abc import Sequence

from capacity.domain import units
from capacity.domain.observation import CutOffKind, StepObservation
from capacity.domain.plan import NoCeiling
from capacity.domain.run import RunRecord
from capacity.domain.words import RESOURCES, printable
from capacity.planning.evidence.endings.client_rule import TARGET_SAID, client_rule
from capacity.planning.evidence.endings.ended_logins import ended_logins
from capacity.planning.evidence.endings.refused_when_empty import REFUSED_LOGIN, refused_when_empty
from capacity.planning.evidence.endings.said_shutdown import said_shutdown
from capacity.planning.evidence.identity.target_identity import mismatch
from capacity.planning.evidence.missing_evidence import Gap
from capacity.planning.evidence.mix import measured_mix
from capacity.planning.evidence.updates import no_updates
from capacity.planning.evidence.windows import Window, is_usable, levels, restarts

FEWEST_LEVELS = 2
OPENING_REFUSED = "handshake_opening_refused"
"""Failure of a connection whose steps before the subscriptions the target refused."""
_SHOWN_LETTERS = 160

START_REMEDIES = {
    CutOffKind.NOT_REACHED: "Find out why the target accepts no more (its log, its own limits), or"
    " start with fewer connections: start in the profile.",
    CutOffKind.REFUSED: "Look at the reason for the refusals: credentials, a per-client limit (set"
    " source_addresses), or a limit of the target. Then start with fewer: start in the profile.",
    CutOffKind.SILENT: "Find out what the target waits for (its log, its threads), and measure again when"
    " it responds.",
    CutOffKind.LOST: "Check the target's log at that time, and check with `capacity doctor` that the"
    " dialect sends what the target expects.",
    CutOffKind.DIED: "Check the target's log for why it exited: it did not survive even this load.",
    CutOffKind.OBJECTIVE: "The target misses its SLO at this load already: start with fewer (start in"
    " the profile), or check whether the SLO is meant for this feed.",
    CutOffKind.SATURATED: "Start with fewer connections (start in the profile).",
    CutOffKind.UNSERVED: "Look for what lies between generator and target (NAT, balancer, proxy: their"
    " idle and age time-outs), and in the target's log for why it serves these connections no more.",
    CutOffKind.GUARDED: "Start with fewer connections and open them more slowly: start and"
    " connects_per_s in the profile.",
}


def why_no_fit(record: RunRecord, windows: Sequence[Window]) -> Gap | None:
    """Return what is missing for a fit, if anything; *windows* are those of one life."""
    return (
        _why_no_readings(record)
        or mismatch(record)
        or client_rule(record)
        or refused_when_empty(record)
        or said_shutdown(record)
        or ended_logins(record)
        or (_what_ended_it(record) if measured_mix(record.steps) is None else None)
        or (None if any(is_usable(step) for step in record.steps) else _why_no_step(record))
        or no_updates(record)
        or _why_no_fit_of(record, windows)
    )


def _why_no_readings(record: RunRecord) -> Gap | None:
    if record.manifest.agent is None:
        return Gap(
            "The run had no agent, so the target's resources were not measured.",
            "If `capacity agent --spool DIR` ran on the target's host meanwhile, join its samples with"
            " `capacity attach RUN DIR`. Else start `capacity agent` there, set agent in the target"
            " file, measure again.",
        )
    if not record.samples:
        return Gap(
            "The agent responded, but no sample was recorded.",
            "Check the agent and the network between it and the load generator, and measure again.",
        )
    return None


def _why_no_fit_of(record: RunRecord, windows: Sequence[Window]) -> Gap | None:
    if levels(windows) < FEWEST_LEVELS or not any(w.load.connections > 0 for w in windows):
        return _why_no_levels(record, windows)
    return _why_no_mix(record) if measured_mix(record.steps) is None else None


def _why_no_mix(record: RunRecord) -> Gap:
    remedy = "Look at the failures per step, and measure again once the first level is held."
    if not any(step.step.is_mix for step in record.steps):
        remedy = (
            "No step of the run asked for it. Where each of the profile's steps sets a workload of its own, add"
            " one without, or set mix to what one of them has."
        )
        if any(event.kind == "aborted" for event in record.events):
            remedy = (
                "The run was ended before a step asked for it: measure again, and let it go on."
            )
    return Gap(
        f"None of {units.counted(len(record.steps), 'step')} carried the profile's full workload, so"
        " there is no capacity for it.",
        remedy,
    )


def _what_ended_it(record: RunRecord) -> Gap | None:
    """Return what the first level ran into, None if nothing cut it off."""
    cut = [step for step in record.steps if step.cut_off is not None and step.void is None]
    if not cut or cut[0].cut_off is None:
        return None
    ended, step = cut[0].cut_off, cut[0].step
    if ended.kind is CutOffKind.STOPPED:
        return Gap(
            f"The run ended before the first level was reached: {ended.statement}.",
            "Measure again and let it finish; a result needs at least the first level of the profile.",
        )
    if (login := _refused_login(record, cut[0])) is not None:
        return login
    load = "with full workload" if step.is_mix else "idle"
    is_counted = ended.kind is CutOffKind.GUARDED and ended.connections > 0
    at = f" at {units.counted(ended.connections, 'connection')}" if is_counted else ""
    return Gap(
        f"The first level of {units.counted(step.connections, 'connection')} ({load}) was not held:"
        f" {ended.statement}{at}.",
        _start_remedy(cut[0], ended.kind),
    )


def _start_remedy(step: StepObservation, kind: CutOffKind) -> str:
    unheard = step.failures.get("connect_refused", 0)
    if kind is CutOffKind.REFUSED and 2 * unheard > sum(step.failures.values()):
        return (
            "Nobody listens there (ECONNREFUSED, which no cap on connections gives): look in the target's log"
            " whether it ended, start it, and measure again."
        )
    return START_REMEDIES[kind]


def _refused_login(record: RunRecord, step: StepObservation) -> Gap | None:
    """Return that the first level ended because the target let its clients not log in, if it did."""
    refused = step.failures.get(OPENING_REFUSED, 0)
    if step.cut_off is None or 2 * refused <= sum(step.failures.values()):
        return None
    texts = (event.detail.get("text") for event in record.events if event.kind == TARGET_SAID)
    said = next((each for each in texts if isinstance(each, str) and "opening " in each), None)
    words = f' It said: "{printable(said, _SHOWN_LETTERS)}".' if said is not None else ""
    first = next((event.detail for event in record.events if event.kind == REFUSED_LOGIN), {})
    row = f" The first was {printable(first['row'])}." if isinstance(first.get("row"), str) else ""
    return Gap(
        f"The target refused the login of clients, {units.counted(refused, 'time')}, and held"
        f" {units.counted(step.cut_off.connections, 'connection')} of the"
        f" {step.step.connections} that the first level asks for.{words}{row}",
        "Correct the values that the target file gives for the dialect's opening: where they have rows, each of"
        " them, as client i has the i-th; or find out how many logins the target lets one account have.",
    )


def why_no_wall(no_ceiling: Sequence[NoCeiling]) -> Gap:
    """Return what is missing when not one resource has a ceiling."""
    reasons = "; ".join(f"{RESOURCES[entry.resource]}: {entry.reason}" for entry in no_ceiling)
    return Gap(
        f"None of {len(no_ceiling)} resources has both a known limit and a measurable cost ({reasons}).",
        "Open more connections so that their cost shows, and declare limits that cannot be read.",
    )


def _why_no_step(record: RunRecord) -> Gap:
    total = len(record.steps)
    void = [step for step in record.steps if step.void is not None]
    if not total:
        return Gap(
            "The run ended before its first step was complete.",
            f"Measure again, and let at least {FEWEST_LEVELS} steps complete.",
        )
    if len(void) == total:
        return Gap(
            f"{'The only step is' if total == 1 else f'All {total} steps are'} void because of the"
            f" load generator, not the target; step {units.step_number(void[0].index)}: {void[0].void}.",
            "Add workers (--workers) or a second generator host, and measure again.",
        )
    return Gap(
        f"None of {units.counted(total, 'step')} reached a usable plateau ({len(void)} void).",
        "Use fewer connections, raise ramp_timeout_s, or look at the failures per step.",
    )


def _why_no_levels(record: RunRecord, windows: Sequence[Window]) -> Gap:
    usable = [step for step in record.steps if is_usable(step)]
    asked = {step.step.connections for step in usable}
    changes = restarts(record.samples)
    if changes and len(asked) >= FEWEST_LEVELS:
        return Gap(
            f"The target restarted {units.counted(changes, 'time')}, and between two restarts there"
            f" were never {FEWEST_LEVELS} connection levels.",
            "Find out why it restarts, and measure again.",
        )
    if not windows and record.is_agent_lost:
        return Gap(
            f"The agent did not answer from some moment of the run on, and no sample of a running target lies on"
            f" the plateaus of the {units.counted(len(usable), 'usable step')}.",
            "Find out why the agent ended (its terminal or log), start it again, and measure again.",
        )
    if not windows:
        return Gap(
            f"No sample of a running target lies on the plateaus of the"
            f" {units.counted(len(usable), 'usable step')}.",
            "Check the agent, the target and both clocks, and use plateaus of several seconds.",
        )
    if levels(windows) >= FEWEST_LEVELS:
        return Gap(
            f"None of {units.counted(len({window.step for window in windows}), 'plateau')} with"
            " samples carried a connection.",
            "Look at the failures per step, and check that the target accepts connections.",
        )
    failed = next((step for step in record.steps if step.cut_off and step.void is None), None)
    if failed is not None and failed.cut_off is not None and failed.cut_off.kind in START_REMEDIES:
        return Gap(
            f"Only {units.counted(windows[0].asked_connections, 'connection')} were held, and a cost per"
            f" connection needs {FEWEST_LEVELS} levels: at the next count,"
            f" {failed.cut_off.statement}.",
            START_REMEDIES[failed.cut_off.kind],
        )
    return Gap(
        f"Only one connection level has samples"
        f" ({units.counted(windows[0].asked_connections, 'connection')});"
        f" a cost per connection needs {FEWEST_LEVELS}.",
        f"Use a profile with at least {FEWEST_LEVELS} levels, better 4, and a baseline.",
    )
