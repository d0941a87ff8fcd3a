"""The rules that every trial is held to; what breaks one is a pair (rule, sentence)."""

import json
import math
import shutil

from asking import ask
from faults import AGENT, GENERATOR, LINK, TARGET, told_by
from stage import DESCRIPTORS

WRONG, LEFT, UNLOADABLE, HANG, OWNERLESS, TRACEBACK = RULES = (
    "wrong plan",
    "process left",
    "unloadable run",
    "hang",
    "no owner",
    "traceback",
)
OWN_S = 45.0
"""What a run takes where nothing is done to it: three at once on two busy cores."""
HANG_S = 30.0
WIDER = 2.576 / 1.645
"""A 99 % interval over a 90 % one, of a normal distribution."""
ROUNDING = 2.0
"""Connections: those of the pollers are whole numbers."""
LAST_LOOK_S = 0.5
"""Before its end a run reads the limits for the last time; what is set later belongs to no run."""
RECORDED_TRUTH = 4006.0
"""Connections at which the exchange of reports/example refused, as README.md has it."""
TOLD_OF_FILES = {"run_incomplete", "samples_missing", "few_steps", "void_steps"}
ANSWERED, INCONCLUSIVE, CONFIGURATION = 0, 5, 2
HURT = {TARGET, AGENT, LINK}
OWNERS = {
    2: (
        "configuration",
        lambda faults: any("disk" in f.kind or "folder" in f.kind for f in faults),
    ),
    3: ("generator or target", bool),
    4: ("target or agent", lambda faults: any(f.owner in HURT for f in faults)),
    5: ("the run's own sentence", bool),
    12: ("target", lambda faults: any(f.owner in HURT for f in faults)),
    130: ("who interrupted", lambda faults: _is_done(faults, "interrupt")),
    143: ("who terminated", lambda faults: _is_done(faults, "terminate")),
    -2: ("who interrupted", lambda faults: _is_done(faults, "interrupt")),
    -15: ("who terminated", lambda faults: _is_done(faults, "terminate")),
    -9: ("who killed", lambda faults: _is_done(faults, "kill")),
}
"""By exit code: whose the end is, and whether the faults that were done fit to that."""


def _is_done(faults, kind):
    return any(fault.kind == kind and fault.owner == GENERATOR for fault in faults)


def of_ending(code, said, ended_s, faults):
    """Yield what is wrong with how the command ended."""
    allowed_s = OWN_S + HANG_S + sum(fault.lasts_s for fault in faults)
    if code is None:
        yield HANG, f"it has not ended after {ended_s:.0f} s"
        return
    if ended_s > allowed_s:
        yield HANG, f"it ended after {ended_s:.0f} s, {allowed_s:.0f} s at most were its due"
    if "Traceback" in said:
        yield TRACEBACK, said.strip().splitlines()[-1][-300:]
    if code == ANSWERED:
        return
    owner, fits = OWNERS.get(code, ("nobody", lambda _: False))
    words = said.strip()[-300:]
    if not fits(faults):
        yield OWNERLESS, f"exit code {code} blames {owner}, and it did nothing: {words}"
    elif code > 0 and "capacity: " not in said and code < 128:
        yield OWNERLESS, f"exit code {code} without a sentence: {words}"


def of_run(run, folder, faults, truth):
    """Yield what is wrong with what can be said of a recorded run, and put its answer into a dict."""
    answered = {}
    if not (run / "run.json").exists():
        return answered, []
    kept = folder / "kept"
    shutil.copytree(run, kept)
    broken = list(_of_answers(kept, {ANSWERED, INCONCLUSIVE}, answered))
    if "mid" in answered:
        kinds = set().union(*(told_by(fault) for fault in faults))
        broken += _of_plan(answered, kinds, truth)
    if "limit_met" in answered.get("caveats", ()) and not {TARGET, LINK} & {
        f.owner for f in faults
    }:
        broken.append(
            (OWNERLESS, "the target is said to have met a limit, and nothing was done to it")
        )
    return answered, broken


def of_copy(copy):
    """Return what is said of a damaged copy, and what is wrong with that."""
    answered = {}
    broken = list(_of_answers(copy, {ANSWERED, CONFIGURATION, INCONCLUSIVE}, answered))
    if "mid" in answered:
        broken += _of_plan(answered, TOLD_OF_FILES, RECORDED_TRUTH)
    return answered, broken


def _of_answers(run, codes, answered):
    for command in (("plan", run.name, "--json"), ("report", run.name)):
        answer = ask(run.parent, *command)
        words = answer.said.strip()
        if answer.code == -14:
            yield HANG, f"{command[0]} does not end"
        elif "Traceback" in words:
            yield TRACEBACK, f"{command[0]}: {words[-600:]}"
        elif answer.code not in codes:
            yield UNLOADABLE, f"{command[0]} ends with {answer.code}: {words[-300:]}"
        elif answer.code == CONFIGURATION and len(words.splitlines()) != 1:
            yield UNLOADABLE, f"{command[0]} says more than a sentence: {words[-300:]}"
        elif command[0] == "plan" and answer.code != CONFIGURATION:
            answered |= summary(json.loads(answer.out))


def summary(document):
    """Return of plan.json what is judged."""
    plan = document.get("plan")
    if not plan:
        return {"excuse": str((document.get("excuse") or {}).get("reason", "?"))[:200]}
    capacity = plan["capacity"]
    return {
        "binding": plan["binding"],
        "mid": capacity["mid"],
        "low99": capacity["mid"] - (capacity["mid"] - capacity["low"]) * WIDER,
        "high99": capacity["mid"] + (capacity["high"] - capacity["mid"]) * WIDER,
        "caveats": sorted({doubt["kind"] for doubt in plan["doubts"]}),
    }


def truth_of(stage, faults):
    """Return how many connections the target holds: each takes a descriptor, as does each poller."""
    limits = [
        fault.choice
        for fault in faults
        if fault.kind == "descriptor limit" and not is_too_late(fault, stage.run)
    ]
    free = (limits[-1] if limits else DESCRIPTORS) - stage.idle_descriptors
    return free / (1.0 + stage.polls_per_connection_s)


def is_too_late(fault, run):
    """Tell whether the limits of *run* had been read for the last time when the fault was done."""
    try:
        started_at = json.loads((run / "run.json").read_text("utf-8"))["started_at"]
        ended_at = json.loads((run / "events.jsonl").read_text("utf-8").splitlines()[-1])["at"]
    except (OSError, ValueError, LookupError):
        return False
    return fault.since == "run" and fault.at_s > ended_at - started_at - LAST_LOOK_S


def _of_plan(answered, kinds, truth):
    if not math.isfinite(answered["mid"]):
        yield WRONG, f"a plan of {answered['mid']} connections"
        return
    is_within = answered["low99"] - ROUNDING <= truth <= answered["high99"] + ROUNDING
    if not is_within and not kinds & set(answered["caveats"]):
        span = f"{answered['mid']:.0f} ({answered['low99']:.0f} to {answered['high99']:.0f})"
        had = f"with the caveats {answered['caveats']} and none of {sorted(kinds)}"
        yield WRONG, f"{span} for {truth:.0f}, {had}"
