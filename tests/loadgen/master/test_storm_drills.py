"""How large a drill is, when it is over, and what is kept of it."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from capacity.domain.load import LoadStep, LoadVector
from capacity.loadgen.master import storm_drills
from capacity.loadgen.master.steps.step_results import FINAL_REPORTS_TIMEOUT_S
from capacity.loadgen.master.storm_drills import StormDrills, _Collected, drill_step, in_short
from capacity.recording.run_directory import load as loaded

EXAMPLE = Path(__file__).parents[3] / "reports" / "example"


@pytest.fixture(scope="module")
def seen():
    """A step with the full workload that was held, with 100 connections."""
    step = next(step for step in loaded(EXAMPLE).steps if step.step.is_mix and step.void is None)
    load = LoadVector(
        connections=100.0,
        deliveries_per_s=1.0,
        delivered_bytes_per_s=1.0,
        requests_per_s=2.0,
        handshakes_per_s=0.0,
    )
    mixed = replace(step.step, connections=100, requests_per_s=50.0, churn_per_s=3.0)
    return replace(step, step=mixed, load=load, cut_off=None)


@pytest.mark.parametrize(("share_ratio", "connections"), [(0.99, None), (1.0, 1)])
def test_a_drill_cuts_a_whole_connection_or_is_none(seen, share_ratio, connections):
    two = replace(seen, step=replace(seen.step, connections=2))
    step = drill_step([two], share_ratio, 1)

    assert connections == (step.connections if step else None)


@pytest.mark.parametrize(
    ("share_ratio", "per_user", "connections"),
    [(0.5, 1, 66), (1.0, 1, 50), (0.25, 1, 80), (0.5, 10, 60)],
)
def test_a_drill_and_those_it_cuts_are_no_more_than_was_held(
    seen, share_ratio, per_user, connections
):
    step = drill_step([seen], share_ratio, per_user)

    assert isinstance(step, LoadStep)
    assert connections == step.connections
    assert step.connections * (1 + share_ratio) <= 100
    assert (step.requests_per_s, step.churn_per_s) == (50.0 * connections / 100, 0.0)


def test_only_what_was_held_with_the_full_workload_counts(seen):
    idle = replace(seen, step=replace(seen.step, is_mix=False))
    more = replace(seen, step=replace(seen.step, connections=1000))

    assert drill_step([], 0.5, 1) is None
    assert drill_step([idle], 0.5, 1) is None
    assert drill_step([replace(more, void="the generator")], 0.5, 1) is None
    assert 66 == drill_step([seen, replace(more, void="the generator")], 0.5, 1).connections
    assert 666 == drill_step([seen, more], 0.5, 1).connections


def test_too_few_connections_are_no_storm(seen):
    def held(connections):
        return replace(seen, step=replace(seen.step, connections=connections))

    assert drill_step([held(2)], 0.5, 1) is None
    assert 2 == drill_step([held(3)], 0.5, 1).connections


@pytest.fixture
def drills(seen):
    """Drills without workers: what they would tell is told by the test."""
    written = SimpleNamespace(storms=[], events=[])
    made = StormDrills.__new__(StormDrills)
    made._storm = SimpleNamespace(longest_s=60.0, base_s=0.5, factor=2.0, cap_s=30.0)
    made._before, made._step, made._on, made.due = seen, seen.step, None, {}
    made._pool = SimpleNamespace(ids={"a", "b"})
    made._preflight = SimpleNamespace(
        dialect=SimpleNamespace(ws=SimpleNamespace(open_timeout_s=7.0))
    )
    made._recorder = SimpleNamespace(
        storm=written.storms.append,
        event=lambda kind, **detail: written.events.append((kind, detail)),
    )
    return made, written


@pytest.mark.parametrize(
    ("age_s", "cut", "restored", "is_over"),
    [
        (3.9, {"a": 1, "b": 1}, 2, False),
        (4.1, {"a": 1, "b": 1}, 2, True),
        (4.1, {"a": 1, "b": 1}, 1, False),
        (4.1, {"a": 1}, 1, False),
        (59.0, {"a": 1}, 0, False),
        (60.1, {"a": 1}, 0, True),
    ],
)
def test_a_drill_is_over_when_all_are_back_and_it_was_watched_or_its_time_is_up(
    drills, monkeypatch, age_s, cut, restored, is_over
):
    monkeypatch.setattr(storm_drills, "time", SimpleNamespace(monotonic=lambda: 1000.0))
    on = _Collected(0, "immediate", began_s=1000.0 - age_s, cut=cut, restored_s=[1.0] * restored)

    assert is_over is drills[0]._is_over(on)


def test_a_record_keeps_twenty_thousand_attempts_and_says_what_it_left_out(drills, report):
    made, written = drills
    on = _Collected(1, "fixed", began_at=1000.0, cut={"a": 3, "b": 4}, restored_s=[2.0, 1.0])
    on.attempts = [(float(n), n + 0.5, "" if n else "refused") for n in range(20_001, -1, -1)]
    on.merged.add("a", report(lost=2))
    drill = made._record(on, ("a sign",), None)

    assert (20_000, 2) == (len(drill.attempts), drill.left_out)
    assert (0.0, 1.0) == (drill.attempts[0].began_s, drill.attempts[1].began_s)
    assert (7, (1.0, 2.0), 2, 7.0, 60.0) == (
        drill.cut,
        drill.restored_s,
        drill.stayed_lost,
        drill.handshake_timeout_s,
        drill.longest_s,
    )
    assert drill.lag_p95_s is None
    assert [drill] == written.storms
    ((kind, detail),) = written.events
    assert ("storm_over", 1, 7, 2, 2.0, 1) == (
        kind,
        *(detail[name] for name in ("number", "cut", "restored", "last_s", "failed")),
    )
    assert made.due == {}


def test_a_drill_after_which_nobody_is_back_has_no_last_one(drills):
    drill = drills[0]._record(_Collected(0, "immediate"), (), "stopped")

    assert (None, 0, "stopped") == tuple(
        in_short(drill)[name] for name in ("last_s", "failed", "aborted")
    )
    assert (0, 0) == (drill.left_out, drill.cut)


@pytest.mark.parametrize("policy", ["immediate", "fixed"])
def test_who_dials_again_waits_for_a_moment_at_least(drills, policy):
    first, *others = drills[0]._waits_s(policy)

    assert all(low >= storm_drills.LEAST_RETRY_S for low, _high in others)
    assert (first == (0.0, 0.0)) is (policy == "immediate")


def test_what_workers_tell_of_a_drill_adds_up(drills, report):
    made = drills[0]
    made._on = on = _Collected(0, "immediate")
    told = {"began_at": 1.0, "cut": 3, "attempts": [[0.1, 0.2, ""]], "restored_s": [0.5]}
    for worker in ("a", "b", "a"):
        made.add(worker, report(index=-2, drill=told, lost=1))
    made.add("a", report(index=-2, drill=None, lost=1))
    made.add("a", report(index=2, drill=told, lost=1))

    assert ({"a": 3, "b": 3}, [(0.1, 0.2, "")] * 3, [0.5] * 3) == (
        on.cut,
        on.attempts,
        on.restored_s,
    )
    assert 4 == on.merged.total("lost")


@pytest.mark.parametrize("habits", [1, 2, 3])
def test_the_load_settles_between_two_drills_and_not_after_the_last(drills, seen, habits):
    made, _written = drills
    began = []
    made._storm.habits = ["fixed"] * habits
    made._results = SimpleNamespace(observations=[seen])
    made._drilled = lambda number, *_: (
        began.append(number),
        (SimpleNamespace(aborted=None, restored_s=(), cut=0), None),
    )[1]
    made._rest = lambda *_: began.append("rest")

    assert ("finished", {}) == made.run(("finished", {}), lambda **_: None, lambda: None)
    assert [0, *(each for n in range(1, habits) for each in ("rest", n))] == began


def test_no_drill_begins_when_the_end_is_asked_for_while_the_load_settles(drills, seen):
    made, _written = drills
    began, is_last = [], []
    made._storm.habits, made._settle_s = ["fixed", "fixed"], 60.0
    made._results = SimpleNamespace(observations=[seen])
    made._drilled = lambda number, *_: (
        began.append(number),
        (SimpleNamespace(aborted=None, restored_s=(), cut=0), None),
    )[1]
    kind, detail = made.run(
        ("finished", {}), lambda **_: None, lambda: is_last.append(True), lambda: bool(is_last)
    )

    assert ([0], "aborted") == (began, kind)
    assert detail["reason"].startswith("the run was stopped when storm drill 1 was over")


@pytest.mark.parametrize(
    ("heard", "waited_s"),
    [
        ({"a": 0.0, "b": 0.0}, 0.0),
        ({"a": 0.0, "b": 0.05}, 0.06),
        ({"a": 0.0}, FINAL_REPORTS_TIMEOUT_S),
    ],
)
def test_after_a_drill_the_last_words_of_all_workers_are_waited_for_a_while(
    drills, monkeypatch, heard, waited_s
):
    made, _written = drills
    on, now_s = _Collected(0, "immediate"), [0.0]

    def sleep(pause_s):
        now_s[0] += pause_s
        on.merged.finals.update(worker for worker, at_s in heard.items() if at_s <= now_s[0])

    sleep(0.0)
    monkeypatch.setattr(storm_drills, "time", SimpleNamespace(monotonic=lambda: now_s[0]))
    monkeypatch.setattr(storm_drills, "gevent", SimpleNamespace(sleep=sleep))
    made._await_last_words(on)

    assert pytest.approx(waited_s, abs=0.021) == now_s[0]


def test_habits_are_told_of_while_a_drill_is_to_follow_the_step_under_way(drills):
    made, _written = drills
    made._storm.habits = ["fixed"]
    followed = made.habits
    made._step = None
    before = made.habits
    made._step, made._storm = made._before.step, None

    assert (["fixed"], (), ()) == (followed, before, made.habits)
