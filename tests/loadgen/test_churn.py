"""Real connections to a target on a real socket are replaced at the asked pace."""

import runpy
import time
from pathlib import Path

import gevent
import pytest

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
    feeds = []

    def reopen(*, at_once):
        assert at_once
        for feed in feeds:
            if not feed.is_open:
                gevent.spawn(feed.open)

    feeds += fleet.join(HELD, reopen)
    for feed in feeds:
        feed.open()
    wait_until(lambda: len(target.open_clients) == HELD)
    yield fleet
    fleet.close()


def held(fleet, *, churn_per_s, phase="plateau"):
    fleet.turn_to(Stage(**stage_of(churn_per_s=churn_per_s, phase=phase)))


def test_connections_are_replaced_at_the_pace_and_all_stay_open(fleet, target):
    before, began_s = len(target.clients), time.monotonic()
    held(fleet, churn_per_s=20.0)
    gevent.sleep(1.0)
    held(fleet, churn_per_s=0.0)
    elapsed_s = time.monotonic() - began_s
    wait_until(lambda: len(target.open_clients) == HELD)

    assert pytest.approx(20 * elapsed_s, abs=3) == len(target.clients) - before
    assert 0 == fleet.ledger.lost
    assert {} == fleet.ledger.failures


def test_each_connection_has_its_turn(fleet, target):
    first = list(target.clients)
    held(fleet, churn_per_s=50.0, phase="settle")
    wait_until(lambda: len(target.clients) == 2 * HELD)

    assert not any(client.is_open for client in first)


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
