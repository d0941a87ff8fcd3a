"""How a worker's run ends, and what of other runs it does not obey."""

import gc
import runpy
import weakref
from pathlib import Path

import gevent
import pytest

from capacity.loadgen.protocol import messages

TOLD_WORKERS = runpy.run_path(str(Path(__file__).with_name("told_workers.py")))
orders_for = TOLD_WORKERS["orders_for"]
stage_of = TOLD_WORKERS["stage_of"]
wait_until = TOLD_WORKERS["wait_until"]
environment = TOLD_WORKERS["environment"]
worker = TOLD_WORKERS["worker"]
reports = TOLD_WORKERS["reports"]
say = TOLD_WORKERS["say"]
tags = TOLD_WORKERS["tags"]


def test_the_end_closes_the_connections_and_nothing_is_reported_after_it(
    say, worker, reports, environment, target
):
    say(messages.BEGIN)
    say(messages.STAGE)
    environment.runner.start(2, spawn_rate=100)
    wait_until(lambda: len(target.open_clients) == len(worker.clients.connections) == 2)
    say(messages.END)
    reported = len(reports)
    wait_until(lambda: not target.open_clients)
    gevent.sleep(0.7)

    assert (None, reported) == (worker.clients, len(reports))
    assert (True, 2) == (reports[-1]["is_final"], reports[-1]["gauges"]["open_connections"])


def test_a_report_that_falls_due_together_with_the_end_is_not_made(worker, reports):
    with gevent.Timeout(30):
        worker._report_forever()

    assert [] == reports


@pytest.mark.usefixtures("_as_in_a_process_of_its_own")
def test_on_plateaus_only_what_came_since_they_settled_is_searched_for_garbage(say):
    say(messages.BEGIN)
    say(messages.STAGE, phase="ramp")
    on_the_ramp = gc.get_freeze_count()
    say(messages.STAGE, phase="settle")
    on_the_plateau = gc.get_freeze_count()
    say(messages.END)

    assert on_the_ramp == gc.get_freeze_count() == 0
    assert on_the_plateau > 10_000


@pytest.mark.usefixtures("_as_in_a_process_of_its_own")
def test_users_that_left_since_a_plateau_are_gone_with_the_next_one(say, environment):
    say(messages.BEGIN)
    say(messages.STAGE, phase="ramp")
    environment.runner.spawn_users({"Member": 3})
    left = [weakref.ref(greenlet.args[0]) for greenlet in environment.runner.user_greenlets]
    say(messages.STAGE, phase="settle")
    environment.runner.stop_users({"Member": 3})
    say(messages.STAGE, index=1, phase="ramp")
    wait_until(lambda: not environment.runner.user_greenlets)
    gevent.sleep(0.05)  # Whoever told of their end lets go of them.
    say(messages.STAGE, index=1, phase="settle")

    assert [None] * 3 == [user() for user in left]


def test_a_second_end_is_harmless(say, reports):
    say(messages.BEGIN)
    say(messages.END)
    say(messages.END)

    assert 1 == len(reports)


def test_a_stage_of_a_run_that_the_worker_did_not_see_begin_is_ignored(say, worker, reports):
    say(messages.STAGE, index=4)

    assert (None, []) == (worker.clients, reports)


def test_a_new_run_replaces_one_whose_end_was_not_heard(say, worker, reports, environment, target):
    say(messages.BEGIN)
    say(messages.STAGE, index=5)
    first = worker.clients
    environment.runner.send_message(messages.BEGIN, orders_of_run(target, "next"))
    environment.runner.send_message(messages.STAGE, {**stage_of(index=0), "run": "next"})

    assert first.is_over
    assert not worker.clients.is_over
    assert (-1, "idle", True) == tags(reports)[-1]


def orders_of_run(target, run):
    return {**orders_for(target.port), "run": run}


def test_orders_that_come_twice_leave_the_connections_of_the_run_alone(worker, environment, target):
    clients = []
    for run in ("a", "a", "b"):
        environment.runner.send_message(messages.BEGIN, orders_of_run(target, run))
        clients.append(worker.clients)

    assert clients[0] is clients[1] is not clients[2]


def test_a_stage_that_was_overtaken_or_is_of_another_run_is_not_obeyed(
    worker, environment, target, reports
):
    environment.runner.send_message(messages.BEGIN, orders_of_run(target, "a"))
    for run, number, index in (("a", 2, 5), ("a", 1, 4), ("a", 2, 6), ("b", 3, 7)):
        told = {**stage_of(index=index), "run": run, "number": number}
        environment.runner.send_message(messages.STAGE, told)

    assert 5 == worker.clients.counters.index
    assert [("a", 1)] == [(report["run"], report["number"]) for report in reports]


def test_a_phase_that_goes_on_at_another_pace_is_not_over(say, reports):
    say(messages.BEGIN)
    for _ in range(2):
        say(messages.STAGE, index=0, phase="ramp")
    say(messages.STAGE, index=0, phase="settle")

    assert [False, True] == [report["is_final"] for report in reports[1:]]


def test_the_end_of_another_run_ends_nothing(worker, environment, target):
    environment.runner.send_message(messages.BEGIN, orders_of_run(target, "a"))
    environment.runner.send_message(messages.END, "b")
    is_on = worker.clients is not None
    environment.runner.send_message(messages.END, "a")

    assert (True, None) == (is_on, worker.clients)


def test_a_worker_that_was_not_told_the_end_ends_with_its_users(worker, environment, say, reports):
    say(messages.BEGIN)
    environment.events.test_stopping.fire(environment=environment)

    assert worker.clients is None
    assert [True] == [report["is_final"] for report in reports]
