"""Real connections are cut and come back by their habit."""

import runpy
from dataclasses import replace
from pathlib import Path

import gevent
import pytest

from capacity.loadgen.client.arrivals import returning
from capacity.loadgen.client.arrivals.away import Drilled
from capacity.loadgen.client.arrivals.returning import Returning, is_cut
from capacity.loadgen.client.clients import Clients
from capacity.loadgen.protocol.instructions import DrillInstructions, RunInstructions, Stage
from capacity.loadgen.wire.handshake import HandshakeError

SMALL = runpy.run_path(str(Path(__file__).parents[2] / "small_target.py"))
wait_until, orders_for, stage_of = SMALL["wait_until"], SMALL["orders_for"], SMALL["stage_of"]
HELD = 6
ORDER = DrillInstructions(share_ratio=0.5, policy="immediate", base_s=0.0, factor=2.0, cap_s=1.0)


@pytest.fixture
def owned():
    """Slots that were given back to whoever owns them, to be opened again."""
    return []


@pytest.fixture
def clients(target, owned):
    clients = Clients(RunInstructions(**orders_for(target.port)))
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


class Slot(Drilled):
    """One that opens after it was refused so often, and says how often it was asked to."""

    is_open = False

    def __init__(self, refused=0):
        super().__init__()
        self.times, self._refused = 0, refused

    def open(self):
        self.times += 1
        if self.times <= self._refused:
            raise HandshakeError("handshake_rejected_503")
        self.is_open = True

    def close(self):
        self.is_open = False

    renew = close


def test_a_client_is_restored_once_however_often_it_is_served_or_lost_again():
    slot = Slot()
    drill = Returning(replace(ORDER, share_ratio=1.0), [slot])
    wait_until(lambda: slot.times == 1)
    slot.tell_served()
    slot.tell_served()
    slot.tell_lost("reset")
    wait_until(lambda: slot.times == 2)
    slot.tell_served()
    gevent.sleep(0)
    told = drill.take()
    drill.end()

    assert (2, 1) == (len(told["attempts"]), len(told["restored_s"]))


@pytest.mark.parametrize(
    ("habit", "waits_s"),
    [
        ({"policy": "immediate"}, [0.0, 0.1, 0.1, 0.1]),
        ({"policy": "fixed", "base_s": 0.09}, [0.09, 0.1, 0.1, 0.1]),
        ({"policy": "fixed", "base_s": 0.11}, [0.11, 0.11, 0.11, 0.11]),
        ({"policy": "exponential", "base_s": 0.2}, [0.2, 0.4, 0.8, 1.0]),
    ],
)
def test_who_is_refused_waits_by_its_habit_and_for_a_tenth_of_a_second_at_least(
    monkeypatch, habit, waits_s
):
    waited_s, slot = [], Slot(refused=2)
    sleep = gevent.sleep
    monkeypatch.setattr(returning.gevent, "sleep", waited_s.append)
    drill = Returning(replace(ORDER, share_ratio=1.0, **habit), [slot])
    sleep(0)
    slot.tell_lost("reset")
    sleep(0)
    drill.end()

    assert waits_s == waited_s
    assert 4 == slot.times
