"""What a slot shows of its connection, to a target that answers pings."""

import runpy
from pathlib import Path

import pytest

from capacity.loadgen.client.clients import Clients
from capacity.loadgen.client.slots.watched import Watched
from capacity.loadgen.protocol.instructions import RunInstructions, Stage

SMALL = runpy.run_path(str(Path(__file__).parents[2] / "small_target.py"))
wait_until, stage_of = SMALL["wait_until"], SMALL["stage_of"]


@pytest.fixture
def target():
    target = SMALL["SmallTarget"]()
    yield target
    target.close()


@pytest.fixture
def clients(target):
    clients = Clients(RunInstructions(**SMALL["orders_for"](target.port)))
    yield clients
    clients.close()


@pytest.fixture
def slot(clients):
    (slot,) = clients.join(1, lambda: None)
    return slot


def test_a_slot_without_a_connection_is_nobodys_silence(slot):
    assert isinstance(slot, Watched)
    slot.ping()

    assert (False, False, False, None) == (
        slot.is_open,
        slot.is_judged,
        slot.is_following,
        slot.has_answered,
    )


def test_a_ping_is_answered_and_forgotten_with_the_plateau(slot):
    slot.open()
    before = slot.has_answered
    slot.ping()
    wait_until(lambda: slot.has_answered)
    slot.begin_plateau()

    assert (None, None) == (before, slot.has_answered)
    assert 0 == slot.arrivals


@pytest.mark.parametrize(("subscriptions", "is_following"), [(0, False), (1, True)])
def test_it_follows_from_when_it_asks(clients, slot, subscriptions, is_following):
    clients.turn_to(Stage(**stage_of(subscriptions=subscriptions)))
    slot.open()

    assert is_following is slot.is_following


def test_another_connection_has_another_time(slot):
    slot.open()
    first_s = slot.born_s
    slot.close()
    slot.open()

    assert slot.born_s > first_s


def test_what_was_asked_for_is_unconfirmed_until_the_connection_ends(clients, target, slot):
    target.answer_s = 600.0
    clients.turn_to(Stage(**stage_of(subscriptions=2)))
    before = slot.unconfirmed
    slot.open()
    asked = slot.unconfirmed
    slot.close()

    assert (0, 2, 0) == (before, asked, slot.unconfirmed)
