"""How a run ends: by its target, by whoever stops it, by a disk that is full."""

import runpy
import shutil
from dataclasses import replace
from pathlib import Path

from capacity.domain.observation import CutOffKind
from capacity.recording.run_directory import load

LOCAL_RUNS = runpy.run_path(str(Path(__file__).with_name("local_runs.py")))
_quick_and_with_limits_as_before = LOCAL_RUNS["_quick_and_with_limits_as_before"]
SmallTarget = runpy.run_path(str(Path(__file__).parents[1] / "small_target.py"))["SmallTarget"]
LET_IN = 4
"""By a target that bans: the trial of a preflight, and three of the run."""
profile = LOCAL_RUNS["profile"]
start_run = LOCAL_RUNS["start_run"]
end_of = LOCAL_RUNS["end_of"]
at_plateau = LOCAL_RUNS["at_plateau"]


def test_a_target_that_dies_ends_the_run_and_keeps_the_steps_before(
    start_exchange, target_file, start_run
):
    exchange = start_exchange()
    run = start_run(target_file(exchange), profile())
    run.until(at_plateau(2))
    exchange.process.kill()
    record = run.to_its_end()
    kind, detail = end_of(record)

    assert ("aborted", 4) == (kind, detail["exit_code"])
    assert "the target dropped 4 of 4 connections, most by " in detail["reason"]
    assert ") in step 3; the steps" in detail["reason"]
    assert 4 == run.controller.exit_code
    assert [None, None, CutOffKind.LOST] == [
        step.cut_off and step.cut_off.kind for step in record.steps
    ]
    assert (4, 4) == (record.steps[2].lost, record.steps[2].cut_off.connections)


def test_the_death_of_a_target_is_named_by_the_agent(
    start_exchange, start_agent, target_file, start_run
):
    exchange = start_exchange()
    agent = start_agent("--pid", exchange.pid)
    run = start_run(target_file(exchange, agent.url), profile())
    run.until(at_plateau(2))
    exchange.process.kill()
    record = run.to_its_end()
    last = record.steps[-1].cut_off

    assert (CutOffKind.DIED, 4) == (last.kind, last.connections)
    assert f"the target, pid {exchange.pid}, exited at about 4 connections" == last.statement
    assert last.statement in end_of(record)[1]["reason"]


def test_a_target_that_is_shut_down_on_purpose_is_said_to_be_with_code_and_words(
    start_exchange, target_file, start_run
):
    exchange = start_exchange("--shutdown-notice-s=0.2", "--shutdown-code=1012")
    run = start_run(target_file(exchange), profile())
    run.until(at_plateau(2))
    exchange.process.terminate()
    record = run.to_its_end()
    kind, detail = end_of(record)

    assert ("aborted", 4) == (kind, detail["exit_code"])
    assert "; the target closed with 1012 'service restart', as in a planned" in detail["reason"]
    assert "planned shutdown" in record.steps[-1].cut_off.statement
    assert [0, 0, 0] == [step.unmatched for step in record.steps]


def test_a_target_that_is_gone_before_anything_is_open_is_no_limit_that_was_reached(
    start_exchange, target_file, start_run
):
    exchange = start_exchange()
    run = start_run(target_file(exchange), profile(ramp_timeout_s=1))
    run.until(lambda controller: controller.position.phase == "plateau")
    exchange.process.kill()
    kind, detail = end_of(run.to_its_end())

    assert ("aborted", 4, 1) == (kind, detail["exit_code"], detail["not_reached"])


def test_a_step_that_is_not_reached_ends_the_run_as_a_finding(
    start_exchange, target_file, start_run
):
    exchange = start_exchange("--max-connections", "3")
    settings = profile(levels=[2, 5], ramp_timeout_s=1.5)
    run = start_run(target_file(exchange, rest=None), settings)
    record = run.to_its_end()
    kind, detail = end_of(record)
    last = record.steps[-1]

    assert ("finished", 2) == (kind, detail["not_reached"])
    assert "step 3 asked for 5 connections; the target held 3" in detail["reason"]
    assert 0 == run.controller.exit_code
    assert ([0, 1, 2], None, 3) == (
        [step.index for step in record.steps],
        last.plateau_started_at,
        last.connections_peak,
    )
    assert last.failures["handshake_rejected_503"] >= 2
    assert [0] == [event.detail["refused"] for event in record.events if event.kind == "newcomers"]


def test_a_target_that_refuses_with_nobody_connected_is_said_to(target_file, start_run):
    class Banning(SmallTarget):
        @property
        def status(self):
            return 101 if len(self.arrived_s) <= LET_IN else 403

        @status.setter
        def status(self, _given): ...

    target = Banning()
    target.host = "127.0.0.1"
    run = start_run(target_file(target, rest=None), profile(levels=[2, 5], ramp_timeout_s=1.5))
    record = run.to_its_end()
    target.close()
    said = next(event.detail for event in record.events if event.kind == "newcomers")

    assert record.steps[-1].cut_off.kind is CutOffKind.NOT_REACHED
    assert said["tried"] == said["refused"] > 1
    assert "handshake_rejected_403" == said["reason"]


def test_a_run_that_is_stopped_says_so_once_and_with_the_exit_code_of_an_interrupt(
    exchange, target_file, start_run
):
    run = start_run(target_file(exchange), profile(plateau_s=60))
    run.until(lambda controller: controller.position.phase == "plateau")
    for _ in range(2):
        run.controller.abort(("aborted", {"reason": "it was stopped", "exit_code": 130}))
    record = load(run.path)

    assert ("aborted", {"reason": "it was stopped", "exit_code": 130}) == end_of(record)
    assert 130 == run.controller.exit_code
    assert "the end: the run was aborted (it was stopped)" in record.missing
    assert run.controller.users_due() is None


def test_locust_is_asked_for_nothing_else_while_a_run_ends_or_a_dead_worker_is_counted(
    exchange, target_file, start_run, monkeypatch
):
    controller = start_run(target_file(exchange), profile(plateau_s=60)).controller
    first = controller.users_due()
    controller.position = replace(controller.position, index=1)
    monkeypatch.setattr(controller.pool, "has_dead", lambda: True)
    beside_the_dead = controller.users_due()
    monkeypatch.undo()
    monkeypatch.setattr(controller._closing, "ending", ("aborted", {}))
    while_it_ends = controller.users_due()
    monkeypatch.undo()

    assert first == beside_the_dead == while_it_ends
    assert first != controller.users_due()


def test_a_record_that_cannot_be_written_any_more_ends_the_run(exchange, target_file, start_run):
    run = start_run(target_file(exchange), profile(plateau_s=60))
    run.until(lambda controller: controller.position.phase == "plateau")
    shutil.rmtree(run.path)
    run.until(lambda controller: controller.is_over)

    assert 5 == run.controller.exit_code
