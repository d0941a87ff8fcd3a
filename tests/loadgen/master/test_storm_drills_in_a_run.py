"""A whole tiny run with two drills against the real exchange."""

import runpy
from pathlib import Path

import pytest

from capacity.loadgen.master import storm_drills
from capacity.notebook import plan
from capacity.planning.advice.storm_drill import drill_outcomes
from capacity.recording.run_directory import load as loaded

RUNS = runpy.run_path(str(Path(__file__).with_name("local_runs.py")))


local_run, profile = RUNS["local_run"], RUNS["profile"]


STORM = {"share_ratio": 0.5, "habits": ["immediate", "full_jitter"], "base_s": 0.5}


@pytest.fixture(autouse=True, scope="module")
def _quick():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(storm_drills, "LEAST_S", 0.5)
        yield


@pytest.fixture(scope="module")
def drilled(exchange, agent, target_file, tmp_path_factory):
    path = tmp_path_factory.mktemp("storm") / "run"
    settings = profile(levels=[12], plateau_s=1, storm=STORM)
    with local_run(target_file(exchange, agent.url), settings, path) as run:
        yield run.to_its_end()


def test_a_share_is_cut_after_the_last_step_and_all_come_back(drilled):
    immediate, jitter = drilled.storms

    assert ["immediate", "full_jitter"] == [drill.habit.policy for drill in drilled.storms]
    assert [(8, 4, 4)] * 2 == [
        (drill.connections, drill.cut, len(drill.restored_s)) for drill in drilled.storms
    ]
    assert (None, None) == (immediate.aborted, jitter.aborted)
    assert (0, 0) == (immediate.stayed_lost, jitter.stayed_lost)
    assert immediate.delay_during.count > 0
    assert "finished" == drilled.events[-1].kind
    assert ["storm", "storm_over"] * 2 == [
        event.kind for event in drilled.events if event.kind.startswith("storm")
    ]


def test_no_step_counts_what_a_drill_did(drilled):
    assert [0, 12, 8] == [step.step.connections for step in drilled.steps]
    assert 8 == drilled.steps[-1].step.connections
    assert {0} == {step.lost for step in drilled.steps}
    assert {"drill"} == {point.phase for point in drilled.points if point.index == 3}


def test_drills_of_a_run_can_be_told(drilled):
    outcomes = drill_outcomes(drilled, plan(drilled))

    assert [time.measured_s is not None for time in outcomes[0].times] == [True] * 3


def test_a_drill_that_is_stopped_is_told_as_aborted(exchange, target_file, tmp_path):
    settings = profile(levels=[6], plateau_s=1, storm={**STORM, "habits": ["fixed"], "base_s": 50})
    with local_run(target_file(exchange), settings, tmp_path / "run") as run:
        run.until(lambda controller: any(e.kind == "storm" for e in controller.recorder.events))
        run.end()
        record = loaded(tmp_path / "run")

    (drill,) = record.storms
    assert "the test is over" == drill.aborted
    assert () == drill.restored_s


def test_a_run_that_is_to_end_at_the_next_step_ends_after_the_drill_that_is_on(
    exchange, target_file, tmp_path
):
    settings = profile(levels=[12], plateau_s=1, storm=STORM)
    with local_run(target_file(exchange), settings, tmp_path / "run") as run:
        run.until(lambda controller: controller.drills.number == 0)
        run.controller.stops_after_step = True
        record = run.to_its_end()

    (drill,) = record.storms
    assert None is drill.aborted
    assert ("aborted", 130) == (record.events[-1].kind, record.events[-1].detail["exit_code"])
    assert (
        record.events[-1]
        .detail["reason"]
        .startswith("the run was stopped when storm drill 1 was over, as asked for")
    )
