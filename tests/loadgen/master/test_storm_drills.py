"""How large a drill is; and a whole tiny run with two of them against the real exchange."""

import runpy
from dataclasses import replace
from pathlib import Path

import pytest

from capacity.domain.load import LoadStep, LoadVector
from capacity.loadgen.master import storm_drills
from capacity.loadgen.master.storm_drills import drill_step
from capacity.notebook import plan
from capacity.planning.advice.storm_drill import drill_outcomes
from capacity.recording.run_directory import load as loaded

RUNS = runpy.run_path(str(Path(__file__).with_name("test_controller.py")))
local_run, profile = RUNS["local_run"], RUNS["profile"]
EXAMPLE = Path(__file__).parents[3] / "reports" / "example"
STORM = {"share_ratio": 0.5, "habits": ["immediate", "full_jitter"], "base_s": 0.5}


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
