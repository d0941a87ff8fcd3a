"""Real connections to a target on a real socket are replaced at the asked pace."""

import runpy
from pathlib import Path

import gevent
import pytest

from capacity.loadgen.client.arrivals.churn import Churn
from capacity.loadgen.client.clients import Clients
from capacity.loadgen.protocol.instructions import RunInstructions, Stage

SMALL = runpy.run_path(str(Path(__file__).parents[2] / "small_target.py"))
wait_until, orders_for, stage_of = SMALL["wait_until"], SMALL["orders_for"], SMALL["stage_of"]
HELD = 6


@pytest.fixture
def clients(target):
    """Clients with HELD open connections, each of which is opened again when it was closed."""
    clients = Clients(RunInstructions(**orders_for(target.port)))
    clients.turn_to(Stage(**stage_of()))
    slots, opening = [], set()

    def open_again(slot):
        slot.open()
        opening.discard(slot.index)

    def reopen(*, at_once):
        assert at_once
        for slot in slots:
            # On a busy machine the one before may still be under way.
            if not slot.is_open and slot.index not in opening:
                opening.add(slot.index)
                gevent.spawn(open_again, slot)

    slots += clients.join(HELD, reopen)
    for slot in slots:
        slot.open()
    wait_until(lambda: len(target.open_clients) == HELD)
    yield clients
    clients.close()


def held(clients, *, churn_per_s, phase="plateau"):
    clients.turn_to(Stage(**stage_of(churn_per_s=churn_per_s, phase=phase)))


class Hours:
    """Passes while somebody sleeps; a sleep may take longer than asked, as on a busy machine."""

    def __init__(self, ends_s, late_s=()):
        self.now_s = 0.0
        self._ends_s, self._late_s = ends_s, iter(late_s)

    def clock_s(self):
        return self.now_s

    def sleep(self, seconds):
        self.now_s += seconds + next(self._late_s, 0.0)
        if self.now_s > self._ends_s:
            raise gevent.GreenletExit


class Replaced:
    is_open = True

    def __init__(self, *, churns=False):
        self.times, self.churns = 0, churns

    def renew(self):
        self.times += 1


def replaced(hours, per_s, *, slot_count=3, away=0):
    """Return how often each of some connections was replaced in these *hours*."""
    slots = [Replaced() for _ in range(slot_count)]
    churn = Churn(lambda: slots, lambda: slot_count - away, hours.clock_s, hours.sleep)
    churn.turn_to(per_s)
    churn._greenlet.join()
    return [slot.times for slot in slots]


def test_connections_are_replaced_at_the_pace():
    assert [67, 67, 66] == replaced(Hours(10.01), 20.0)


@pytest.mark.parametrize(("per_s", "replacements"), [(1.0, 10), (0.5, 5)])
def test_a_slow_pace_is_kept_as_well_and_again_after_a_stop(per_s, replacements):
    slots, hours = [Replaced()], Hours(10.01)
    churn = Churn(lambda: slots, lambda: 1, hours.clock_s, hours.sleep)
    churn.turn_to(per_s)
    churn._greenlet.join()
    churn.stop()
    hours.now_s = 0.0
    churn.turn_to(per_s)
    churn._greenlet.join()

    assert 2 * replacements == slots[0].times


def test_what_could_not_be_kept_is_not_made_up_for():
    # Two late by less than an interval cost nothing; one late by three seconds costs 60.
    assert 200 - 60 == pytest.approx(sum(replaced(Hours(10.01, [0, 0.03, 0.02, 3.0]), 20.0)), abs=1)


@pytest.mark.parametrize(
    ("slot_count", "away", "replacements"),
    [(3, 1, 200), (3, 2, 0), (40, 2, 200), (40, 3, 0), (100, 5, 200), (100, 6, 0)],
)
def test_nobody_is_replaced_while_more_than_one_in_twenty_is_on_its_way_back(
    slot_count, away, replacements
):
    times = replaced(Hours(10.01), 20.0, slot_count=slot_count, away=away)

    assert replacements == sum(times)


def test_while_they_are_replaced_all_stay_open(clients, target):
    before = len(target.clients)
    held(clients, churn_per_s=50.0)
    wait_until(lambda: len(target.clients) >= before + 20)
    held(clients, churn_per_s=0.0)
    wait_until(lambda: len(target.open_clients) == HELD)

    assert 0 == clients.counters.lost
    assert {} == clients.counters.failures


def test_each_connection_has_its_turn(clients, target):
    first = list(target.clients)
    held(clients, churn_per_s=50.0, phase="settle")
    wait_until(lambda: len(target.clients) >= 2 * HELD)
    held(clients, churn_per_s=0.0)
    wait_until(lambda: not any(client.is_open for client in first))
    wait_until(lambda: len(target.open_clients) == HELD)

    # One after the other: nobody's second turn came before everybody's first.
    assert len(target.clients) < 3 * HELD


def test_nothing_is_replaced_while_connections_are_still_to_come(clients, target):
    held(clients, churn_per_s=50.0, phase="ramp")
    gevent.sleep(0.2)

    assert HELD == len(target.clients)


def test_the_end_of_the_run_ends_the_churn(clients, target):
    held(clients, churn_per_s=50.0)
    clients.close()
    replaced = len(target.clients)
    gevent.sleep(0.2)

    assert len(target.clients) <= replaced + 1


def test_where_some_are_of_a_churning_class_it_is_they_who_are_replaced():
    slots = [Replaced(), Replaced(churns=True), Replaced(), Replaced(churns=True)]
    hours = Hours(10.0)
    churn = Churn(lambda: slots, lambda: len(slots), hours.clock_s, hours.sleep)
    with pytest.raises(gevent.GreenletExit):
        churn._renew_forever(1.0)

    assert [slot.times for slot in slots] == [0, 5, 0, 5]
