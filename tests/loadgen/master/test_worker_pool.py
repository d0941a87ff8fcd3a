"""A real master that workers join and leave, as the crew of a run sees them."""

from locust import User
from locust.env import Environment
from locust.event import Events

import time

import gevent
import pytest

from capacity.loadgen import crew as crew_module
from capacity.loadgen import messages
from capacity.loadgen.crew import Crew
from capacity.loadgen.muster import LOCAL, muster, roll_of
from capacity.loadgen.presence import PROGRAM, Presence, boot_id

ORDERS = {"connections_per_user": 1, "clock_offset_s": 0.25}
PATIENCE_S = 10
HOLDS = {"open_connections": 5, "users": 2}


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


def answer_to(asked, *, program=PROGRAM, ahead_s=0.0, boot_id="another", trouble=None):
    presence = Presence(
        host="far",
        boot_id=boot_id,
        network="net:[1]",
        cores=1,
        descriptors=1000,
        ports=1000,
        addresses=(),
        trouble=trouble,
    )
    return {
        "program": program,
        "presence": presence.as_message() if asked["question"] else None,
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
            messages.MUSTER,
            lambda msg, **_: runner.send_message(messages.PRESENT, answer_to(msg.data, **answer)),
        )
        joined.append(runner)
        wait_until(lambda: runner.client_id in master.runner.clients)
        return runner, heard

    yield start
    for runner in joined:
        runner.quit()


def given(orders):
    return [(messages.BEGIN, {**orders, "clock_offset_s": pytest.approx(0.25, abs=0.05)})]


def test_locust_without_workers_is_its_own_crew(target):
    environment = Environment(user_classes=[Member], events=Events())
    runner = environment.create_local_runner()
    heard = []
    runner.register_message(messages.BEGIN, lambda msg, **_: heard.append(msg.data))
    runner.register_message(
        messages.MUSTER,
        lambda msg, **_: runner.send_message(
            messages.PRESENT, answer_to(msg.data, boot_id=boot_id())
        ),
    )
    muster(environment, target)
    crew = Crew(environment, ORDERS)

    assert ({LOCAL}, [ORDERS]) == (crew.ids, heard)
    assert (set(), set()) == crew.changes()
    runner.quit()


def test_everybody_gets_the_orders_once_and_hears_what_all_are_told(master, join, target):
    workers = [join(), join()]
    muster(master, target)
    crew = Crew(master, ORDERS)
    crew.tell(messages.STAGE, {"index": 1})
    told = [*given(ORDERS), (messages.STAGE, {"index": 1})]
    wait_until(lambda: all(len(heard) == 2 for _, heard in workers))

    assert 2 == len(crew)
    assert [told, told] == [heard for _, heard in workers]
    assert crew.order_silent() is False


def test_every_worker_gets_the_offset_of_its_own_clock_to_the_targets(master, join, target):
    _, slow = join(ahead_s=-2.0)
    _, fast = join(ahead_s=3.0)
    muster(master, target)
    Crew(master, ORDERS)
    wait_until(lambda: slow and fast)

    assert pytest.approx(0.25 + 2.0, abs=0.05) == slow[0][1]["clock_offset_s"]
    assert pytest.approx(0.25 - 3.0, abs=0.05) == fast[0][1]["clock_offset_s"]


def test_a_newcomer_is_asked_first_then_gets_the_orders_and_changes_are_told_once(
    master, join, target
):
    first, _ = join()
    muster(master, target)
    crew = Crew(master, ORDERS)
    second, heard = join()
    changes = [crew.changes(), crew.changes()]
    at_once = crew.order_silent()
    wait_until(lambda: second.client_id in roll_of(master))
    later = crew.order_silent()
    wait_until(lambda: heard)

    assert {first.client_id, second.client_id} == crew.ids
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
    muster(master, target)
    crew = Crew(master, ORDERS)
    stranger, heard = join(**answer)
    crew.changes()
    crew.order_silent()
    roll = roll_of(master)
    wait_until(lambda: stranger.client_id in roll or stranger.client_id in roll.strangers)
    crew.order_silent()
    crew.order_silent()
    wait_until(lambda: len(stranger.greenlet) == 0)

    [told] = [log.getMessage() for log in caplog.records if log.name == crew_module.__name__]

    assert [] == heard
    assert told.startswith(f"worker {stranger.client_id} is sent away: {said}")


def test_a_worker_that_was_lost_holds_nothing_any_more_whatever_it_still_says(master, join):
    (leaver, _), (stayer, _) = join(), join()
    crew = Crew(master, ORDERS)
    for runner in (leaver, stayer):
        crew.note(runner.client_id, HOLDS)
    before = crew.open_connections, crew.users, crew.heard
    leaver.environment.events.quitting.fire(environment=leaver.environment)
    wait_until(lambda: leaver.client_id not in master.runner.clients)
    changes = crew.changes()
    crew.note(leaver.client_id, HOLDS)

    assert (10, 4, 2) == before
    assert ({leaver.client_id}, set()) == changes
    assert (5, 2, 1) == (crew.open_connections, crew.users, crew.heard)


def test_who_stays_silent_gets_the_orders_again_and_who_reports_does_not(
    master, join, target, monkeypatch
):
    monkeypatch.setattr(crew_module, "SILENCE_S", 0.2)
    (_silent, heard_by_silent), (active, heard_by_active) = join(), join()
    muster(master, target)
    crew = Crew(master, ORDERS)
    crew.note(active.client_id, HOLDS)
    at_once = crew.order_silent()
    gevent.sleep(0.25)
    later = crew.order_silent()
    wait_until(lambda: len(heard_by_silent) == 2)

    assert (False, True, 1) == (at_once, later, crew.heard)
    assert given(ORDERS) == heard_by_active


def test_who_was_only_out_of_sight_keeps_its_orders(master, join, target):
    worker, heard = join()
    muster(master, target)
    crew = Crew(master, ORDERS)
    crew.note(worker.client_id, HOLDS)
    node = master.runner.clients[worker.client_id]
    before, node.state = node.state, "missing"
    lost = crew.changes()
    node.state = before
    back = crew.changes()
    is_ordered = crew.order_silent()
    gevent.sleep(0.1)

    assert ({worker.client_id}, set()) == lost
    assert (set(), {worker.client_id}) == back
    assert (False, given(ORDERS)) == (is_ordered, heard)
