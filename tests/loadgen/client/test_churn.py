"""Real connections to a target on a real socket are replaced at the asked pace."""

import runpy
from pathlib import Path

import gevent
import pytest

from capacity.loadgen.churn import Churn
from capacity.loadgen.fleet import Fleet, Orders, Stage

SMALL = runpy.run_path(str(Path(__file__).with_name("small_target.py")))
wait_until, orders_for, stage_of = SMALL["wait_until"], SMALL["orders_for"], SMALL["stage_of"]
HELD = 6


@pytest.fixture
def target():
    target = SMALL["SmallTarget"]()
    yield target
    target.close()


@pytest.fixture
def fleet(target):
    """A fleet with HELD open connections, each of which is opened again when it was closed."""
    fleet = Fleet(Orders(**orders_for(target.port)))
    fleet.turn_to(Stage(**stage_of()))
    feeds, opening = [], set()

    def open_again(feed):
        feed.open()
        opening.discard(feed.index)

    def reopen(*, at_once):
        assert at_once
        for feed in feeds:
            # On a busy machine the one before may still be under way.
            if not feed.is_open and feed.index not in opening:
                opening.add(feed.index)
                gevent.spawn(open_again, feed)

    feeds += fleet.join(HELD, reopen)
    for feed in feeds:
        feed.open()
    wait_until(lambda: len(target.open_clients) == HELD)
    yield fleet
    fleet.close()


def held(fleet, *, churn_per_s, phase="plateau"):
    fleet.turn_to(Stage(**stage_of(churn_per_s=churn_per_s, phase=phase)))


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

    def __init__(self):
        self.times = 0

    def renew(self):
        self.times += 1


def replaced(hours, per_s):
    """Return how often each of three connections was replaced in these *hours*."""
    feeds = [Replaced() for _ in range(3)]
    churn = Churn(lambda: feeds, hours.clock_s, hours.sleep)
    churn.turn_to(per_s)
    churn._greenlet.join()
    return [feed.times for feed in feeds]


def test_connections_are_replaced_at_the_pace():
    assert [67, 67, 66] == replaced(Hours(10.01), 20.0)


def test_what_could_not_be_kept_is_not_made_up_for():
    # Two late by less than an interval cost nothing; one late by three seconds costs 60.
    assert 200 - 60 == pytest.approx(sum(replaced(Hours(10.01, [0, 0.03, 0.02, 3.0]), 20.0)), abs=1)


def test_while_they_are_replaced_all_stay_open(fleet, target):
    before = len(target.clients)
    held(fleet, churn_per_s=50.0)
    wait_until(lambda: len(target.clients) >= before + 20)
    held(fleet, churn_per_s=0.0)
    wait_until(lambda: len(target.open_clients) == HELD)

    assert 0 == fleet.ledger.lost
    assert {} == fleet.ledger.failures


def test_each_connection_has_its_turn(fleet, target):
    first = list(target.clients)
    held(fleet, churn_per_s=50.0, phase="settle")
    wait_until(lambda: len(target.clients) >= 2 * HELD)
    held(fleet, churn_per_s=0.0)
    wait_until(lambda: not any(client.is_open for client in first))
    wait_until(lambda: len(target.open_clients) == HELD)

    # One after the other: nobody's second turn came before everybody's first.
    assert len(target.clients) < 3 * HELD


def test_nothing_is_replaced_while_connections_are_still_to_come(fleet, target):
    held(fleet, churn_per_s=50.0, phase="ramp")
    gevent.sleep(0.2)

    assert HELD == len(target.clients)


def test_the_end_of_the_run_ends_the_churn(fleet, target):
    held(fleet, churn_per_s=50.0)
    fleet.close()
    replaced = len(target.clients)
    gevent.sleep(0.2)

    assert len(target.clients) <= replaced + 1
