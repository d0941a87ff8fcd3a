"""Plays one trial and returns its outcome: what was done, how it ended, what was said, what broke."""

import subprocess
import time

from damage import damaged
from deeds import do, prepare
from faults import FILES
from judge import HANG, LEFT, of_copy, of_ending, of_run, truth_of
from stage import Stage

LONGEST_RUN_S = 150.0
ORPHANS_MAY_LAST_S = 5.0
POLLS_PER_CONNECTION_S = 0.1


def played(seed, number, faults, folder, recorded):
    """Return the outcome of a trial in a folder of its own; *recorded* is a run to be damaged."""
    if faults and faults[0].owner == FILES:
        return _read_copies(faults, folder, recorded, f"{seed}-{number}")
    return play(faults, folder, has_polls=number % 2 == 0)


def play(faults, folder, *, has_polls=False):
    has_polls |= any(fault.kind == "hostile answers" for fault in faults)
    stage = Stage(folder, polls_per_connection_s=POLLS_PER_CONNECTION_S if has_polls else 0.0)
    with stage:
        # By name: what is made read-only lies upon a disk that fills up.
        for fault in sorted(faults, key=lambda each: each.kind):
            prepare(stage, fault)
        began_s = time.monotonic()
        stage.start_command()
        done = _do_all(stage, faults, began_s)
        ended_s = time.monotonic() - began_s
        code = stage.cli.poll()
        said = stage.said("generator")
        broken = [*of_ending(code, said, ended_s, done), *_left(stage)]
        answered, wrong = of_run(stage.run, folder, done, truth_of(stage, done))
        truth = truth_of(stage, done)
    broken += [*wrong, *_namespaces(stage)]
    broken = [(rule, words.replace(f"{folder}/", "")) for rule, words in broken]
    return {
        "faults": [{**fault.as_dict(), "is_done": fault in done} for fault in faults],
        "code": code,
        "ended_s": round(ended_s, 1),
        "said": said.replace(f"{folder}/", "").strip()[-250:],
        "truth": round(truth, 1),
        **answered,
        "broken": broken,
    }


def _do_all(stage, faults, began_s):
    """Do and undo the faults as they are due until the command has ended; return those done."""
    due, undone, done = list(faults), [], []
    since_s = {"start": began_s, "run": None}
    while stage.cli.poll() is None and (now_s := time.monotonic()) < began_s + LONGEST_RUN_S:
        if since_s["run"] is None and (stage.run / "run.json").exists():
            since_s["run"] = now_s
        for fault in [each for each in due if _is_due(each, since_s[each.since], now_s)]:
            due.remove(fault)
            if undo := do(stage, fault):
                undone.append((now_s + fault.lasts_s, undo))
            done.append(fault)
        for each in [each for each in undone if each[0] <= now_s]:
            undone.remove(each)
            each[1]()
        time.sleep(0.05)
    return done + [fault for fault in due if fault.choice == "from the start"]


def _is_due(fault, since_s, now_s):
    return since_s is not None and now_s >= since_s + fault.at_s


def _left(stage):
    """Yield who outlives the command, once all had their time."""
    deadline_s = time.monotonic() + ORPHANS_MAY_LAST_S
    while (left := stage.left("generator")) and time.monotonic() < deadline_s:
        time.sleep(0.25)
    if stage.cli.poll() is not None:
        for process in left:
            yield LEFT, f"process {process.pid} outlives the command"


def _namespaces(stage):
    named = subprocess.run(["ip", "netns"], capture_output=True, text=True, check=True).stdout
    if stage.mark[:8] in named or stage.left():
        yield LEFT, "something of the trial is there after its end"


def _read_copies(faults, folder, recorded, seed):
    folder.mkdir(parents=True)
    outcomes, broken = [], []
    for number, fault in enumerate(faults):
        copy = folder / f"copy-{number}"
        began_s = time.monotonic()
        name = damaged(recorded, copy, fault.choice, f"{seed}-{number}")
        answered, wrong = of_copy(copy)
        if time.monotonic() - began_s > 60.0:
            wrong.append((HANG, "plan and report took more than a minute"))
        broken += [
            (rule, f"copy {number}, {name}, {fault.choice}: {words}") for rule, words in wrong
        ]
        outcomes.append({**fault.as_dict(), "file": name, "is_done": True, **answered})
    return {"faults": outcomes, "broken": broken}
