"""A real master that workers join and leave, as the crew of a run sees them."""

from locust import User
from locust.env import Environment
from locust.event import Events

import gevent
import pytest

from capacity.loadgen import crew as crew_module
from capacity.loadgen import messages
from capacity.loadgen.crew import LOCAL, Crew

ORDERS = {"connections_per_user": 1}
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


@pytest.fixture
def join(master):
    """Let a worker join; returns its runner and the list of what it is told."""
    joined = []

    def start():
        environment = Environment(user_classes=[Member], events=Events())
        runner = environment.create_worker_runner("127.0.0.1", master.runner.server.port)
        heard = []
        for message in (messages.BEGIN, messages.STAGE, messages.END):
            runner.register_message(message, lambda msg, **_: heard.append((msg.type, msg.data)))
        joined.append(runner)
        wait_until(lambda: runner.client_id in master.runner.clients)
        return runner, heard

    yield start
    for runner in joined:
        runner.quit()


def test_locust_without_workers_is_its_own_crew():
    environment = Environment(user_classes=[Member], events=Events())
    runner = environment.create_local_runner()
    heard = []
    runner.register_message(messages.BEGIN, lambda msg, **_: heard.append(msg.data))
    crew = Crew(environment, ORDERS)

    assert ({LOCAL}, [ORDERS]) == (crew.ids, heard)
    assert (set(), set()) == crew.changes()
    runner.quit()


def test_everybody_gets_the_orders_once_and_hears_what_all_are_told(master, join):
    workers = [join(), join()]
    crew = Crew(master, ORDERS)
    crew.tell(messages.STAGE, {"index": 1})
    told = [(messages.BEGIN, ORDERS), (messages.STAGE, {"index": 1})]
    wait_until(lambda: all(len(heard) == 2 for _, heard in workers))

    assert 2 == len(crew)
    assert [told, told] == [heard for _, heard in workers]
    assert crew.order_silent() is False


def test_a_newcomer_gets_the_orders_and_changes_are_told_once(master, join):
    first, _ = join()
    crew = Crew(master, ORDERS)
    second, heard = join()
    changes = [crew.changes(), crew.changes()]
    is_ordered = crew.order_silent()
    wait_until(lambda: heard)

    assert {first.client_id, second.client_id} == crew.ids
    assert [(set(), {second.client_id}), (set(), set())] == changes
    assert (True, [(messages.BEGIN, ORDERS)]) == (is_ordered, heard)


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


def test_who_stays_silent_gets_the_orders_again_and_who_reports_does_not(master, join, monkeypatch):
    monkeypatch.setattr(crew_module, "SILENCE_S", 0.2)
    (_silent, heard_by_silent), (active, heard_by_active) = join(), join()
    crew = Crew(master, ORDERS)
    crew.note(active.client_id, HOLDS)
    at_once = crew.order_silent()
    gevent.sleep(0.25)
    later = crew.order_silent()
    wait_until(lambda: len(heard_by_silent) == 2)

    assert (False, True, 1) == (at_once, later, crew.heard)
    assert [(messages.BEGIN, ORDERS)] == heard_by_active


def test_who_was_only_out_of_sight_keeps_its_orders(master, join):
    worker, heard = join()
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
    assert (False, [(messages.BEGIN, ORDERS)]) == (is_ordered, heard)
