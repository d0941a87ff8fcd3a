"""Faults in every phase of a climb: a run ends in time, says what it saw with its number, and the plan
holds what the run itself saw; nothing is left running.

A target that dies, restarts, refuses, hangs or drops half of its clients; an agent that is lost;
limits that change meanwhile; two runs beside each other. All runs of a test go at the same time.
"""

import re
import resource
import runpy
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from capacity.planning.evidence.saturated_steps import judged

FRAGILE = runpy.run_path(str(Path(__file__).with_name("fragile.py")))
pytestmark = [pytest.mark.end_to_end, pytest.mark.long, pytest.mark.xdist_group("trouble")]

PROFILE = {
    "profile": 1,
    "name": "short",
    "kind": "safe",
    "start": 6,
    "growth": 2.5,
    "levels": 3,
    "steps_per_level": 1,
    "connects_per_s": 60,
    "settle_s": 0.4,
    "plateau_s": 1.5,
    "ramp_timeout_s": 4,
    "mix": {"subscriptions_per_connection": 1, "requests_per_s_per_connection": 0.0},
    # Neighbours on the test's machine wait for memory as well.
    "guards": {"memory_pressure_ratio": 1.0},
}
LEVELS = {1: 6, 2: 15, 3: 37}
INTO_RAMP_S = 1.5
"""Some connections of the level are open by then, and some are not."""

EXPECTED = {
    "die": ({4}, r"the target, pid \d+, exited at about \d+ connections?"),
    "restart": (
        {4},
        r"the target, pid \d+, exited( and was restarted)? at about \d+ connection",
    ),
    "refuse": ({0, 4, 12}, r"handshake_rejected_503"),
    "hang": (
        {4, 12},
        r"did not respond for 4 s: \d+ connect attempts? |\d+ % of the expected updates",
    ),
    "drop": ({4, 12}, r"the target dropped \d+ of \d+ connections?"),
}
"""Trouble -> exit codes, and what the last sentence says."""
QUICK = [
    ("die", 1, "plateau"),
    ("die", 2, "ramp"),
    ("restart", 3, "plateau"),
    ("refuse", 2, "ramp"),
    ("hang", 2, "ramp"),
    ("hang", 1, "settle"),
    ("drop", 2, "plateau"),
    ("drop", 3, "settle"),
]
CAPS = {
    ("--cap-by-address", "10", "--no", "429"): r"handshake_rejected_429 .*source_addresses",
    ("--cap", "10", "--no", "1013"): "handshake_closed_1013",
    ("--cap", "10", "--no", "503"): "handshake_rejected_503",
}
AT_ONCE = 6
ATTEMPTS = 3
EVERY = [
    (kind, level, phase)
    for kind in EXPECTED
    for level in LEVELS
    for phase in ("ramp", "settle", "plateau")
]


def make_trouble(target, kind):
    if kind == "die":
        target.die()
    elif kind == "restart":
        target.restart()
    elif kind == "hang":
        target.signal(signal.SIGSTOP)
    else:
        target.signal(signal.SIGUSR1)


def troubled(scene, kind, level, phase):
    """Measure a target that gets into trouble; return the exit code and the run."""
    target = scene.target("--trouble", "drop" if kind == "drop" else "refuse")
    for attempt in range(ATTEMPTS):
        measuring = scene.measure(target, PROFILE)
        try:
            measuring.wait_for(level, phase)
            break
        except FRAGILE["EndedEarlyError"]:  # A machine that is busy voids steps.
            if attempt == ATTEMPTS - 1:
                raise
    if phase == "ramp":
        time.sleep(INTO_RAMP_S)
    make_trouble(target, kind)
    code = measuring.end()
    return code, measuring


def capped(scene, *options):
    measuring = scene.measure(scene.target(*options), PROFILE)
    return measuring.end(), measuring


def without_agent(scene, comes_back):
    target = scene.target()
    agent, url = scene.agent("--pid", target.process.pid, "--listen", 0)
    measuring = scene.measure(target, PROFILE, agent={"url": url})
    measuring.wait_for(2, "plateau")
    if comes_back:
        agent.send_signal(signal.SIGSTOP)
        events = measuring.run / "events.jsonl"
        FRAGILE["eventually"](lambda: "agent_lost" in events.read_text(), "it is missed", 40)
        agent.send_signal(signal.SIGCONT)
    else:
        agent.kill()
    return measuring.end(), measuring


def with_lowered_limit(scene):
    """Limits are read twice a minute: the run has to be longer than that."""
    target = scene.target()
    measuring = scene.measure(target, PROFILE | {"plateau_s": 9})
    measuring.wait_for(1, "settle")
    resource.prlimit(target.process.pid, resource.RLIMIT_NOFILE, (300, 300))
    return measuring.end(), measuring


def beside_a_death(scene):
    doomed, spared = scene.target(), scene.target()
    ending, going_on = [scene.measure(target, PROFILE) for target in (doomed, spared)]
    ending.wait_for(2, "plateau")
    doomed.die()
    return (ending.end(), going_on.end()), going_on


def all_at_once(scene, stories, at_once=AT_ONCE):
    """Return by name the future of each story; all are over."""
    with ThreadPoolExecutor(at_once) as pool:
        return {name: pool.submit(story, scene, *told) for name, (story, *told) in stories.items()}


def held_by(record):
    return [
        round(step.load.connections)
        for step in judged(record).steps
        if step.step.is_mix and step.cut_off is None and step.void is None and step.load
    ]


def is_unanswered(kind, level, phase):
    """Tell whether nothing of the run has to show this trouble.

    Nobody is to be let in after it, or one or two are lost, which may have reasons of their own.
    """
    return (kind, level, phase) == ("drop", 1, "ramp") or (
        kind == "refuse" and level == 3 and phase != "ramp"
    )


def check(kind, level, phase, code, measuring):
    record = measuring.record
    out, plan_code, document = measuring.planned()
    cut = record.steps[-1].cut_off
    if is_unanswered(kind, level, phase):
        assert (0, None) == (code, cut), measuring.said
        return
    codes, sentence = EXPECTED[kind]
    if (kind, level) == ("hang", 1):
        # Who never served anybody may also be one that the dialect does not understand.
        codes, sentence = codes | {5}, f"{sentence}|0 updates came|No update was received"
    reason = record.events[-1].detail["reason"]

    assert code in codes, measuring.said
    assert re.search(sentence, reason), reason
    assert reason in measuring.said or code == 0
    if plan_code == 5:
        # Who refuses everybody for good does so without load as well, which is no limit.
        is_banning = kind == "refuse" and "newcomers" in document["excuse"]["reason"]
        assert level == 1 or is_banning, out
        assert re.search(sentence, document["excuse"]["reason"]) or "no update arrived" in out, out
        assert document["excuse"]["remedy"]
        return

    assert plan_code == 0
    plan = document["plan"]
    met = plan["met"]
    held = [count for count in held_by(record) if count <= met["failed"]]
    assert plan["capacity"]["low"] >= max(held, default=0) * 0.999
    assert plan["capacity"]["high"] <= max(met["failed"], met["held"])
    assert "limit_met" in {doubt["kind"] for doubt in plan["doubts"]}
    answer = out.split("Bottlenecks, in order")[0]
    assert "95 % confidence" not in answer
    assert "exact" not in answer
    if kind in {"die", "restart", "drop", "hang"}:
        assert met["held"] < met["failed"], "what the target did not say is no cap"


@pytest.fixture(name="came", scope="module")
def fixture_came(tmp_path_factory):
    """What came of all stories of the quick tests; they go at the same time, a few at once."""
    stories = {
        "limit": (with_lowered_limit,),
        "beside": (beside_a_death,),
        "agent killed": (without_agent, False),
        "agent back": (without_agent, True),
        **{case: (troubled, *case) for case in QUICK},
        **{options: (capped, *options) for options in CAPS},
    }
    with FRAGILE["Scene"](tmp_path_factory.mktemp("faults")) as scene:
        yield all_at_once(scene, stories)


@pytest.mark.parametrize("case", QUICK, ids=lambda case: "-".join(map(str, case)))
def test_a_target_in_trouble_is_told_with_what_was_seen(came, case):
    check(*case, *came[case].result())


@pytest.mark.thorough
@pytest.mark.parametrize("kind", EXPECTED)
def test_every_trouble_in_every_phase_of_every_level_is_told(tmp_path, kind):
    cases = [case for case in EVERY if case[0] == kind]
    with FRAGILE["Scene"](tmp_path) as scene:
        came = all_at_once(scene, {case: (troubled, *case) for case in cases}, 3)
        for case in cases:
            check(*case, *came[case].result())


@pytest.mark.parametrize("options", CAPS, ids=lambda options: options[-1])
def test_a_cap_is_met_once_named_and_not_taken_for_losses(came, options):
    code, measuring = came[options].result()
    record = measuring.record
    _out, _code, document = measuring.planned()
    last = record.steps[-1]

    assert code in {0, 12}, measuring.said
    assert re.search(CAPS[options], record.events[-1].detail["reason"])
    if options[-1] == "429":
        assert "let in 10 connections of this one client" in str(document)
    else:
        met = document["plan"]["met"]
        assert (10, 10) == (met["held"], met["failed"])
    assert 0 == last.lost
    assert sum(last.failures.values()) <= 25, "a handful of refusals, not thousands"


@pytest.mark.parametrize("story", ["agent killed", "agent back"])
def test_a_run_goes_on_without_its_agent_and_says_so(came, story):
    code, measuring = came[story].result()
    kinds = [event.kind for event in measuring.record.events]

    assert 0 == code, measuring.said
    assert "agent_lost" in kinds
    assert ("agent_back" in kinds) == (story == "agent back")
    out, _code, document = measuring.planned()
    assert "samples" in str(document), out


def test_a_limit_that_is_lowered_during_a_run_is_the_limit_of_the_plan(came):
    code, measuring = came["limit"].result()
    _out, _code, document = measuring.planned()
    plan = document["plan"]
    (descriptors,) = [wall for wall in plan["ladder"] if wall["resource"] == "descriptors"]

    assert code in {0, 12}, measuring.said
    assert 300 == descriptors["limit"]["value"]
    assert plan["capacity"]["high"] <= 300
    assert "limit_changed" in {doubt["kind"] for doubt in plan["doubts"]}


def test_a_run_is_not_ended_by_the_trouble_of_a_neighbour(came):
    """Two targets on one host, and the one that dies is not the other's limit."""
    codes, spared = came["beside"].result()

    assert (4, 0) == codes, spared.said
    assert {None} == {step.cut_off for step in spared.record.steps}
    _out, _code, document = spared.planned()
    assert document["plan"]["met"] is None
