"""Real connections are cut and come back by their habit."""

import runpy
from dataclasses import replace
from pathlib import Path

import gevent
import pytest

from capacity.loadgen.client.arrivals.returning import is_cut
from capacity.loadgen.client.clients import Clients
from capacity.loadgen.protocol.orders import DrillOrder, Orders, Stage

SMALL = runpy.run_path(str(Path(__file__).parents[2] / "small_target.py"))
wait_until, orders_for, stage_of = SMALL["wait_until"], SMALL["orders_for"], SMALL["stage_of"]
HELD = 6
ORDER = DrillOrder(share_ratio=0.5, policy="immediate", base_s=0.0, factor=2.0, cap_s=1.0)


@pytest.fixture
def target():
    target = SMALL["SmallTarget"]()
    yield target
    target.close()


@pytest.fixture
def owned():
    """Slots that were given back to whoever owns them, to be opened again."""
    return []


@pytest.fixture
def clients(target, owned):
    clients = Clients(Orders(**orders_for(target.port)))
    clients.turn_to(Stage(**stage_of()))
    for slot in clients.join(HELD, lambda **_: owned.append(True)):
        slot.open()
    wait_until(lambda: all(len(client.channels) == 2 for client in target.clients))
    yield clients
    clients.close()


def begin(clients, **changes):
    order = replace(ORDER, **changes)
    clients.turn_to(Stage(**stage_of(index=-2, phase="drill"), drill=order.as_message()))
    return clients.drill


def publish(target):
    for client in target.open_clients:
        for channel in client.channels:
            client.publish(channel, price=1)


def test_every_so_many_th_is_cut():
    assert [False, True] * 3 == [is_cut(n, ORDER) for n in range(6)]
    assert 29 == sum(is_cut(n, replace(ORDER, share_ratio=0.29)) for n in range(100))
    assert all(is_cut(n, replace(ORDER, share_ratio=1.0)) for n in range(5))


def test_who_is_cut_comes_back_and_is_restored_with_its_first_update(clients, target, owned):
    drill = begin(clients)
    wait_until(lambda: len(target.clients) == HELD + 3)
    wait_until(lambda: all(len(client.channels) == 2 for client in target.clients))
    before = drill.take()
    publish(target)
    restored = []
    wait_until(lambda: restored.extend(drill.take()["restored_s"]) or len(restored) == 3)

    assert (3, []) == (before["cut"], before["restored_s"])
    assert ["", "", ""] == [outcome for _began, _ended, outcome in before["attempts"]]
    assert all(0.0 <= began <= ended for began, ended, _ in before["attempts"])
    assert owned == []


def test_only_those_that_stayed_tell_how_late_updates_are(clients, target):
    begin(clients, share_ratio=1.0)
    wait_until(lambda: len(target.clients) == 2 * HELD)
    wait_until(lambda: all(len(client.channels) == 2 for client in target.clients))
    publish(target)
    wait_until(lambda: clients.counters.deliveries >= HELD)

    assert [] == clients.counters.delivery_delay


def test_who_is_refused_tries_again_when_it_was_asked_to(clients, target):
    target.status, target.retry_after = 503, b"1"
    drill = begin(clients, share_ratio=0.17, policy="retry_after", base_s=0.2)
    wait_until(lambda: drill._attempts)
    target.status = 101
    wait_until(lambda: len(drill._attempts) == 2)
    (_began_s, refused_s, reason), (again_s, _ended_s, outcome) = drill.take()["attempts"]

    assert ("handshake_rejected_503", "") == (reason, outcome)
    assert again_s - refused_s >= 1.0


def test_whoever_is_still_out_at_the_end_goes_back_to_its_owner(clients, target, owned):
    target.status = 503
    begin(clients)
    wait_until(lambda: len(target.arrived_s) >= HELD + 3)
    clients.turn_to(Stage(**stage_of(index=-1)))
    gevent.sleep(0)

    assert clients.drill is None
    assert [True] * 3 == owned
    assert 3 == len(clients.connections)
