"""The campaign is the same for one seed and not repeated, its judge sees what it is to see, its page is made."""

import json
import os
import runpy
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.fixture(name="chaos", scope="module")
def fixture_chaos():
    """Return the campaign's modules as `make chaos` runs them."""
    before = set(sys.modules)
    sys.path.insert(0, str(HERE))
    try:
        names = ("asking", "faults", "damage", "judge", "trial", "campaign", "campaign_page")
        yield {name: runpy.run_path(str(HERE / f"{name}.py")) for name in names}
    finally:
        sys.path.remove(str(HERE))
        for path in (*HERE.glob("*.py"), *HERE.glob("inside/*.py")):
            for name in (path.stem, f"inside.{path.stem}", "inside"):
                if name not in before:
                    sys.modules.pop(name, None)


def fault(chaos, kind="stop", owner="generator", choice="worker", lasts_s=1.0):
    return chaos["faults"]["Fault"](kind, owner, choice, "run", 2.0, lasts_s)


# What is drawn ----------------------------------------------------------------------------------


def test_a_trial_is_the_same_for_one_seed_and_another_for_another(chaos):
    drawn = [chaos["faults"]["faults_of"]("1", number) for number in range(50)]

    assert drawn == [chaos["faults"]["faults_of"]("1", number) for number in range(50)]
    assert drawn != [chaos["faults"]["faults_of"]("2", number) for number in range(50)]


def test_every_kind_is_drawn_sooner_or_later_and_no_side_has_more_than_two(chaos):
    kinds = chaos["faults"]["KINDS"]
    drawn = [chaos["faults"]["faults_of"]("1", number) for number in range(400)]
    live = [faults for faults in drawn if not any(f.owner == "files" for f in faults)]
    seen = {(f.kind, f.owner) for faults in live for f in faults}

    assert {(kind.name, kind.owner) for kind in kinds} == seen
    for faults in live:
        owners = [f.owner for f in faults]
        assert all(owners.count(owner) <= 2 for owner in owners)
        assert len({(f.kind, f.owner) for f in faults}) == len(faults)
        assert not ("link" in owners and {"target", "agent"} & set(owners))


def test_some_trials_have_no_fault_so_that_the_judge_is_judged(chaos):
    assert [] in [chaos["faults"]["faults_of"]("1", number) for number in range(50)]


# How it is judged -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "said", "kind", "rule"),
    [
        (0, "", "stop", None),
        (5, "capacity: too short", "stop", None),
        (5, "no sentence", "stop", "no owner"),
        (1, "capacity: a defect", "stop", "no owner"),
        (4, "capacity: the target is gone", "stop", "no owner"),
        (2, "capacity: cannot write", "stop", "no owner"),
        (2, "capacity: cannot write", "disk full", None),
        (143, "", "terminate", None),
        (143, "", "stop", "no owner"),
        (-9, "", "kill", None),
        (-11, "", "kill", "no owner"),
        (5, "capacity: x\nTraceback (most recent call last)", "stop", "traceback"),
        (None, "", "stop", "hang"),
    ],
)
def test_an_end_has_an_owner_that_fits_what_was_done(chaos, code, said, kind, rule):
    found = list(chaos["judge"]["of_ending"](code, said, 20.0, [fault(chaos, kind)]))

    assert [name for name, _ in found] == ([] if rule is None else [rule])


@pytest.mark.parametrize(("late_s", "rules"), [(-0.1, []), (0.1, ["hang"])])
def test_an_end_may_be_as_late_as_its_stops_and_half_a_minute(chaos, late_s, rules):
    due_s = chaos["judge"]["OWN_S"] + 30.0 + 4.0
    found = chaos["judge"]["of_ending"](0, "", due_s + late_s, [fault(chaos, lasts_s=4.0)])

    assert [name for name, _ in found] == rules


@pytest.mark.parametrize(
    ("truth", "caveats", "is_wrong"),
    [
        (247.0, [], False),
        (254.0, [], False),
        (255.0, [], True),
        (238.0, [], True),
        (255.0, ["limit_changed"], False),
        (255.0, ["near_tie"], True),
    ],
)
def test_a_plan_may_miss_the_truth_only_with_a_caveat_of_the_faults_kind(
    chaos, truth, caveats, is_wrong
):
    answered = {"mid": 247.0, "low99": 240.5, "high99": 252.5, "caveats": caveats}
    found = list(chaos["judge"]["_of_plan"](answered, {"limit_changed"}, truth))

    assert bool(found) == is_wrong


@pytest.mark.parametrize("how", ["truncated", "a byte flipped", "a folder"])
def test_a_damaged_run_is_loaded_or_refused_in_a_sentence(chaos, tmp_path, how):
    copy = tmp_path / "copy"
    chaos["damage"]["damaged"](HERE.parents[1] / "reports" / "example", copy, how, "test")
    _answered, broken = chaos["judge"]["of_copy"](copy)

    assert broken == []


def test_what_a_damaged_run_may_not_do_is_seen(chaos, tmp_path):
    (tmp_path / "copy").mkdir()
    _answered, broken = chaos["judge"]["of_copy"](tmp_path / "copy")
    assert broken == []  # It is no run, and that is said.

    answer = chaos["asking"]["ask"](tmp_path, "plan", "copy", "--nonsense")
    assert answer.code == 2
    assert len(answer.said.splitlines()) > 1


# What is written --------------------------------------------------------------------------------


def test_what_is_there_is_not_repeated_and_enough_is_enough(chaos, tmp_path, monkeypatch):
    campaign, rows = chaos["campaign"], tmp_path / "outcomes.jsonl"
    done = {"kind": "stop", "owner": "agent", "is_done": True}
    broken = [{"seed": "1", "trial": n, "faults": [done], "broken": []} for n in range(3)]
    broken[1]["broken"] = [["hang", "for ever"]]
    rows.write_text("".join(json.dumps(row) + "\n" for row in broken))
    monkeypatch.setitem(campaign["campaign"].__globals__, "outcome_of", None)  # Nobody is asked.
    options = ["--faults", "3", "--outcomes", str(rows), "--keep", str(tmp_path)]

    assert campaign["main"](options)
    assert len(rows.read_text().splitlines()) == 3


def test_what_broke_a_rule_is_played_again_as_it_was_recorded(chaos):
    was = fault(chaos)
    row = {"seed": "1", "trial": 4, "faults": [{**was.as_dict(), "is_done": True}]}
    known = [{**row, "broken": [["hang", "x"]]}, {**row, "trial": 5, "broken": []}]
    [(number, faults)] = chaos["campaign"]["due"](known, "1", is_again=True)

    assert number == 4
    assert [each.as_dict() for each in faults] == [was.as_dict()]
    assert next(chaos["campaign"]["due"](known, "1", is_again=False))[0] == 0


def test_kinds_that_are_drawn_rarely_can_be_asked_for(chaos):
    trials = chaos["campaign"]["due"]([], "1", is_again=False, only={"hostile answers"})
    wanted = [next(trials) for _ in range(3)]

    assert all("hostile answers" in {fault.kind for fault in faults} for _, faults in wanted)
    assert [number for number, _ in wanted] == sorted({number for number, _ in wanted})


@pytest.mark.parametrize(("at_s", "is_late"), [(9.4, False), (9.6, True)])
def test_a_limit_that_is_set_when_the_run_has_read_it_for_the_last_time_is_not_the_runs(
    chaos, tmp_path, at_s, is_late
):
    (tmp_path / "run.json").write_text('{"started_at": 100.0}')
    (tmp_path / "events.jsonl").write_text('{"at": 101.0}\n{"at": 110.0}\n')
    late = chaos["faults"]["Fault"]("descriptor limit", "target", 180, "run", at_s, 5.0)

    assert is_late is chaos["judge"]["is_too_late"](late, tmp_path)
    assert not chaos["judge"]["is_too_late"](late, tmp_path / "absent")


def test_what_was_broken_once_is_not_forgotten(chaos, tmp_path):
    rows = [{"seed": "1", "trial": 4, "faults": [], "broken": b} for b in ([["hang", "x"]], [])]
    (tmp_path / "outcomes.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    outcomes = chaos["campaign_page"]["read"](tmp_path / "outcomes.jsonl")

    assert [row["broken"] for row in outcomes] == [[]]
    assert "held when played again: 1." in chaos["campaign_page"]["tally"](outcomes)


def test_the_page_says_what_was_recorded(chaos):
    page = chaos["campaign_page"]
    assert (page["FOLDER"] / "README.md").read_text() == page["written"](page["read"]()), (
        "run tests/chaos/campaign_page.py"
    )


def test_the_table_counts_by_kind_what_was_done_and_what_broke(chaos):
    done = {"kind": "stop", "owner": "agent", "is_done": True}
    late = {"kind": "kill", "owner": "target", "is_done": False}
    rows = [
        {"faults": [done, late], "broken": [["hang", "x"]], "code": 0},
        {"faults": [done], "broken": [], "code": 5},
    ]
    lines = chaos["campaign_page"]["written"](rows).splitlines()

    assert "| stop | agent | 2 | 0 | 0 | 0 | 1 | 0 | 0 |" in lines
    assert not any(line.startswith("| kill") for line in lines)


# A sample of the campaign -----------------------------------------------------------------------


@pytest.mark.end_to_end
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make namespaces")
def test_a_run_whose_worker_is_killed_and_whose_agent_stands_still_keeps_the_rules(chaos, tmp_path):
    faults = [
        fault(chaos, "kill"),
        fault(chaos, "stop", "agent", "agent", lasts_s=2.0),
        fault(chaos, "clock of the target", "target", 3600.0),
    ]
    outcome = chaos["trial"]["play"](faults, tmp_path / "trial")

    assert outcome["broken"] == []
    assert sum(each["is_done"] for each in outcome["faults"]) == 3
