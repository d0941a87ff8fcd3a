"""What the workers of a pool hold together, by what each said last, and when one is silent or behind."""

from locust import User
from locust.env import Environment
from locust.event import Events

from types import SimpleNamespace

import pytest

from capacity.loadgen.master.workers import worker_pool as module
from capacity.loadgen.master.workers.worker_pool import WorkerPool
from capacity.loadgen.protocol.instructions import RunInstructions, Stage

ORDERS = RunInstructions(target={}, dialect={})
PRIVATE = RunInstructions(target={"private": {"connections_per_client": 3}}, dialect={})
STAGE = Stage(
    index=1, phase="ramp", subscriptions_per_connection=1, requests_per_s=0.0, connects_per_s=9.0
)
GAUGES = {
    "a": {"open_connections": 7, "open_private": 2, "opening": 1, "users": 3,
          "most_open": 9, "refused_by": {"connect_refused": 2, "connect_timeout": 1}},
    "b": {"open_connections": 2, "opening": 4, "users": 2, "refused_by": {"connect_refused": 3}},
}  # fmt: skip
"""The second is an older worker, which says less."""


class Member(User):
    pass


@pytest.fixture
def environment():
    made = Environment(user_classes=[Member], events=Events())
    runner = made.create_local_runner()
    yield made
    runner.quit()


@pytest.fixture
def clock(monkeypatch):
    now_s = [1000.0]
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: now_s[0]))
    return now_s


def test_what_workers_hold_is_added_up(environment):
    pool = WorkerPool(environment, ORDERS)
    pool.gauges = GAUGES

    assert (9, 5, 5, 11) == (pool.open_connections, pool.users, pool.opening, pool.most_open)
    assert {"connect_refused": 5, "connect_timeout": 1} == pool.refused_by


def test_private_connections_are_told_where_the_target_has_some(environment):
    without, pool = WorkerPool(environment, ORDERS), WorkerPool(environment, PRIVATE)
    without.gauges = pool.gauges = GAUGES

    assert (None, None) == (without.private_or_none, without.whole_clients)
    # Two private ones, each with two others: of the seven others one is left over.
    assert (2, 2, 6) == (pool.open_private, pool.private_or_none, pool.whole_clients)


@pytest.mark.parametrize(("after_s", "is_behind"), [(1.99, False), (2.0, True)])
def test_a_worker_has_two_seconds_to_hear_of_a_stage(environment, clock, after_s, is_behind):
    pool = WorkerPool(environment, ORDERS)
    pool.tell_stage(STAGE)
    pool.gauges = GAUGES
    clock[0] += after_s

    assert is_behind == pool.is_behind()


@pytest.mark.parametrize(("after_s", "is_called"), [(2.99, False), (3.0, True)])
def test_a_worker_that_is_silent_for_three_seconds_is_called_again(
    environment, clock, monkeypatch, after_s, is_called
):
    pool, called = WorkerPool(environment, ORDERS), []
    monkeypatch.setattr(pool._roster, "call", called.append)
    clock[0] += after_s
    pool.order_silent()

    assert is_called == bool(called)


def test_a_worker_that_was_lost_was_last_heard_of_when_it_spoke_last(environment, clock):
    pool = WorkerPool(environment, ORDERS)
    (worker,) = pool.ids
    pool.note(worker, {**GAUGES["a"], "pid": None})
    clock[0] += 4.5

    assert ", last heard of 4.5 s before" in pool.how_lost(worker)
    assert "last heard" not in pool.how_lost("nobody")


def test_a_pool_is_behind_as_long_as_one_of_its_workers_is(environment, clock):
    pool = WorkerPool(environment, ORDERS)
    pool.tell_stage(STAGE)
    pool.gauges = GAUGES
    clock[0] += 2.0
    said = {"run": "", "number": 1, "index": 1, "phase": "ramp"}
    seen = []
    for worker in pool.gauges:
        pool.reports.is_new(worker, said)
        seen.append(pool.is_behind())

    assert [True, False] == seen
