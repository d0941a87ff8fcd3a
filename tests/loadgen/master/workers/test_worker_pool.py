"""A real master that workers join and leave, as the pool of a run sees them."""

from locust import User
from locust.env import Environment
from locust.event import Events

import subprocess
import time
from dataclasses import replace

import gevent
import pytest

from capacity.loadgen.checks.worker_identity import PROGRAM, WorkerIdentity, boot_id
from capacity.loadgen.master.workers import worker_pool as worker_pool_module
from capacity.loadgen.master.workers.check_in import LOCAL, check_in, roll_of
from capacity.loadgen.master.workers.worker_pool import WorkerPool
from capacity.loadgen.protocol import messages
from capacity.loadgen.protocol.instructions import RunInstructions, Stage

ORDERS = RunInstructions(target={}, dialect={}, clock_offset_s=0.25, run="a")
STAGE = Stage(
    index=1, phase="ramp", subscriptions_per_connection=1, requests_per_s=0.0, connects_per_s=9.0
)
PATIENCE_S = 10
HOLDS = {"open_connections": 5, "users": 2, "pid": 1}


class Member(User):
    pass


def wait_until(condition):
    with gevent.Timeout(PATIENCE_S):
        while not condition():
            gevent.sleep(0.01)


@pytest.fixture
def master():
    environment = Environment(user_classes=[Member], events=Events())
    environment.create_master_runner("127.0.0.1", 0)
    yield environment
    environment.runner.quit()


def answer_to(asked, *, program=PROGRAM, ahead_s=0.0, boot_id="another", trouble=None, pid=None):
    identity = WorkerIdentity(
        host="far",
        boot_id=boot_id,
        network="net:[1]",
        cores=1,
        descriptors=1000,
        ports=1000,
        addresses=(),
        trouble=trouble,
        pid=pid,
    )
    return {
        "program": program,
        "identity": identity.as_message() if asked["question"] else None,
        "asked_at": asked["asked_at"],
        "now": time.time() + ahead_s,
    }


@pytest.fixture(name="target")
def fixture_target(exchange, target_file):
    return target_file(exchange)


@pytest.fixture
def join(master):
    """Let a worker join; returns its runner and the list of what it is told."""
    joined = []

    def start(**answer):
        environment = Environment(user_classes=[Member], events=Events())
        runner = environment.create_worker_runner("127.0.0.1", master.runner.server.port)
        heard = []
        for message in (messages.BEGIN, messages.STAGE, messages.END):
            runner.register_message(message, lambda msg, **_: heard.append((msg.type, msg.data)))
        runner.register_message(
            messages.CHECK_IN,
            lambda msg, **_: runner.send_message(messages.PRESENT, answer_to(msg.data, **answer)),
        )
        joined.append(runner)
        wait_until(lambda: runner.client_id in master.runner.clients)
        return runner, heard

    yield start
    for runner in joined:
        runner.quit()


def given(orders, workers=2):
    told = {"clock_offset_s": pytest.approx(0.25, abs=0.05), "workers": workers}
    return [(messages.BEGIN, {**orders.as_message(), **told})]


def test_locust_without_workers_is_its_own_crew(target):
    environment = Environment(user_classes=[Member], events=Events())
    runner = environment.create_local_runner()
    heard = []
    runner.register_message(messages.BEGIN, lambda msg, **_: heard.append(msg.data))
    runner.register_message(
        messages.CHECK_IN,
        lambda msg, **_: runner.send_message(
            messages.PRESENT, answer_to(msg.data, boot_id=boot_id())
        ),
    )
    check_in(environment, target)
    pool = WorkerPool(environment, ORDERS)

    assert ({LOCAL}, [ORDERS.as_message()]) == (pool.ids, heard)
    assert (set(), set()) == pool.changes()
    runner.quit()


def test_everybody_gets_the_orders_once_and_hears_what_all_are_told(master, join, target):
    workers = [join(), join()]
    check_in(master, target)
    pool = WorkerPool(master, ORDERS)
    pool.tell_stage(STAGE)
    pool.end()
    pool.tell_stage(STAGE)
    told = (messages.STAGE, replace(STAGE, run="a", number=1).as_message())
    told = [*given(ORDERS), told, (messages.END, "a")]
    wait_until(lambda: all(len(heard) >= 3 for _, heard in workers))
    gevent.sleep(0.1)  # Nothing comes behind the end.

    assert 2 == len(pool)
    assert [told, told] == [heard for _, heard in workers]
    assert pool.order_silent() is False


def test_every_worker_gets_the_offset_of_its_own_clock_to_the_targets(master, join, target):
    _, slow = join(ahead_s=-2.0)
    _, fast = join(ahead_s=3.0)
    check_in(master, target)
    WorkerPool(master, ORDERS)
    wait_until(lambda: slow and fast)

    assert pytest.approx(0.25 + 2.0, abs=0.05) == slow[0][1]["clock_offset_s"]
    assert pytest.approx(0.25 - 3.0, abs=0.05) == fast[0][1]["clock_offset_s"]


def test_a_newcomer_is_asked_first_then_gets_the_orders_and_changes_are_told_once(
    master, join, target
):
    first, _ = join()
    check_in(master, target)
    pool = WorkerPool(master, ORDERS)
    second, heard = join()
    changes = [pool.changes(), pool.changes()]
    at_once = pool.order_silent()
    wait_until(lambda: second.client_id in roll_of(master))
    later = pool.order_silent()
    wait_until(lambda: heard)

    assert {first.client_id, second.client_id} == pool.ids
    assert [(set(), {second.client_id}), (set(), set())] == changes
    assert (False, True, given(ORDERS)) == (at_once, later, heard)


@pytest.mark.parametrize(
    ("answer", "said"),
    [({"program": "0.0.9"}, "runs 0.0.9, not "), ({"trouble": "no way"}, "no way")],
    ids=["another program", "no way to the target"],
)
def test_a_newcomer_that_cannot_take_part_is_sent_away_once_without_orders(
    master, join, target, caplog, answer, said
):
    join()
    check_in(master, target)
    pool = WorkerPool(master, ORDERS)
    stranger, heard = join(**answer)
    pool.changes()
    pool.order_silent()
    roster = roll_of(master)
    wait_until(lambda: stranger.client_id in roster or stranger.client_id in roster.strangers)
    pool.order_silent()
    pool.order_silent()
    wait_until(lambda: len(stranger.greenlet) == 0)

    [told] = [log.getMessage() for log in caplog.records if log.name == worker_pool_module.__name__]

    assert [] == heard
    assert told.startswith(f"worker {stranger.client_id} rejected: {said}")


def test_a_worker_that_was_lost_holds_nothing_any_more_whatever_it_still_says(master, join):
    (leaver, _), (stayer, _) = join(), join()
    pool = WorkerPool(master, ORDERS)
    for runner in (leaver, stayer):
        pool.note(runner.client_id, HOLDS)
    before = pool.open_connections, pool.users, pool.heard
    leaver.environment.events.quitting.fire(environment=leaver.environment)
    wait_until(lambda: leaver.client_id not in master.runner.clients)
    changes = pool.changes()
    pool.note(leaver.client_id, HOLDS)

    assert (10, 4, 2) == before
    assert ({leaver.client_id}, set()) == changes
    assert (5, 2, 1) == (pool.open_connections, pool.users, pool.heard)
    assert 2 == pool.newcomers  # Counted once each, and one that went is not counted less.


def test_who_stays_silent_gets_the_orders_again_and_who_reports_does_not(
    master, join, target, monkeypatch
):
    monkeypatch.setattr(worker_pool_module, "SILENCE_S", 0.2)
    (_silent, heard_by_silent), (active, heard_by_active) = join(), join()
    check_in(master, target)
    pool = WorkerPool(master, ORDERS)
    pool.note(active.client_id, HOLDS)
    at_once = pool.order_silent()
    gevent.sleep(0.25)
    later = pool.order_silent()
    wait_until(lambda: len(heard_by_silent) == 2)

    assert (False, True, 1) == (at_once, later, pool.heard)
    assert given(ORDERS) == heard_by_active


def test_who_was_only_out_of_sight_keeps_its_orders(master, join, target):
    worker, heard = join()
    check_in(master, target)
    pool = WorkerPool(master, ORDERS)
    pool.note(worker.client_id, HOLDS)
    node = master.runner.clients[worker.client_id]
    before, node.state = node.state, "missing"
    lost = pool.changes()
    node.state = before
    back = pool.changes()
    is_ordered = pool.order_silent()
    gevent.sleep(0.1)

    assert ({worker.client_id}, set()) == lost
    assert (set(), {worker.client_id}) == back
    assert (False, given(ORDERS, workers=1)) == (is_ordered, heard)


def test_a_worker_whose_process_has_ended_is_known_until_locust_misses_it(master, join, target):
    worker, _heard = join()
    process = subprocess.Popen(["/bin/sleep", "60"])
    pool = WorkerPool(master, ORDERS)
    pool.note(worker.client_id, {**HOLDS, "pid": process.pid})
    before = pool.has_dead()
    process.kill()
    process.wait(PATIENCE_S)
    ended = pool.has_dead()
    master.runner.clients[worker.client_id].state = "missing"

    assert (False, True, False) == (before, ended, pool.has_dead())


def test_a_worker_that_ends_before_its_first_word_is_missed_at_once(master, join, target):
    process = subprocess.Popen(["/bin/sleep", "60"])
    worker, _heard = join(pid=process.pid)
    check_in(master, target)
    process.kill()
    process.wait(PATIENCE_S)
    pool = WorkerPool(master, ORDERS)

    assert ({worker.client_id}, set()) == pool.changes()


def report_of(number, phase="ramp"):
    return {"run": "a", "number": number, "index": 1, "phase": phase}


def test_a_worker_that_counts_under_an_earlier_stage_for_long_is_behind(
    master, join, target, monkeypatch
):
    monkeypatch.setattr(worker_pool_module, "BEHIND_S", 0.2)
    worker, _heard = join()
    check_in(master, target)
    pool = WorkerPool(master, ORDERS)
    pool.tell_stage(replace(STAGE, phase="settle"))
    pool.note(worker.client_id, HOLDS)
    pool.reports.is_new(worker.client_id, report_of(1))
    at_once = pool.is_behind()
    gevent.sleep(0.25)
    later = pool.is_behind()
    pool.reports.is_new(worker.client_id, report_of(2, "settle"))

    assert (False, True, False) == (at_once, later, pool.is_behind())


def test_the_silence_of_a_worker_lasts_until_it_is_heard(master, join, target):
    (_silent, _), (active, _) = join(), join()
    check_in(master, target)
    pool = WorkerPool(master, ORDERS)
    gevent.sleep(0.2)
    pool.note(active.client_id, {**HOLDS, "opening": 3})

    assert 0.2 <= pool.longest_silence_s() < PATIENCE_S
    assert 3 == pool.opening
