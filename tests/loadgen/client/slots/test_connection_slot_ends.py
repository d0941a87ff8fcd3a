"""How the connection of a slot ends, or is refused, and who is told."""

import json
import runpy
from pathlib import Path

import gevent
import pytest
from gevent import monkey

from capacity.loadgen.client.clients import Clients
from capacity.loadgen.protocol.instructions import RunInstructions, Stage
from capacity.loadgen.wire.handshake import HandshakeError

SMALL = runpy.run_path(str(Path(__file__).parents[2] / "small_target.py"))
BTC, ETH, SOL = SMALL["BTC"], SMALL["ETH"], SMALL["SOL"]
wait_until, stage_of = SMALL["wait_until"], SMALL["stage_of"]


def test_a_loss_is_counted_with_its_reason_and_told_to_the_user(client, slot, clients, losses):
    client.drop()
    wait_until(lambda: losses)

    assert (False, ["lost"]) == (slot.is_open, losses)
    assert (1, {"connection_ended": 1}) == (clients.counters.lost, clients.counters.failures)


def test_leaving_says_goodbye_and_is_no_loss(client, slot, clients, losses):
    slot.close()
    wait_until(lambda: not client.is_open)

    assert (True, [], 0) == (client.said_goodbye, losses, clients.counters.lost)


def test_a_lost_feed_opens_again_with_its_subscriptions(client, slot, clients, losses, target):
    client.drop()
    wait_until(lambda: losses)
    slot.open()
    wait_until(lambda: len(clients.counters.handshake_time) == 2)

    assert {BTC, ETH} == target.clients[1].channels
    assert 2 == clients.counters.connects


def test_a_refused_upgrade_raises_and_leaves_the_feed_closed(target, slot, clients):
    target.status = 503
    with pytest.raises(HandshakeError, match="handshake_rejected_503"):
        slot.open()

    assert (False, 0) == (slot.is_open, clients.counters.connects)


def test_a_handshake_that_outlasts_the_run_opens_nothing(target, slot, clients):
    target.handshake_s = 0.1
    opening = gevent.spawn(slot.open)
    wait_until(lambda: target.arrived_s)
    clients.close()
    opening.get()
    wait_until(lambda: target.clients and not target.open_clients)

    assert (False, 0) == (slot.is_open, clients.counters.connects)


@pytest.mark.parametrize(
    ("greeting", "code", "lost", "reason"),
    [
        (None, 1013, 0, "handshake_closed_1013"),
        ('{"error": "full"}', 1013, 0, "handshake_closed_1013"),
        ('{"hello": 1}', 1008, 0, "handshake_closed_1008"),
        (None, 1001, 1, "closed_by_target"),
    ],
)
def test_who_is_let_in_only_to_be_told_to_go_was_refused(
    target, slot, clients, losses, greeting, code, lost, reason
):
    target.greets_with, target.closes_with = greeting, code
    slot.open()
    wait_until(lambda: losses)

    assert (lost, lost, {reason: 1}) == (
        clients.counters.lost,
        clients.counters.connects,
        clients.counters.failures,
    )


def test_whose_subscription_was_confirmed_was_let_in_and_is_lost(client, clients, losses):
    client.close_with(1013)
    wait_until(lambda: losses)

    assert (1, 1, {"closed_by_target": 1}) == (
        clients.counters.lost,
        clients.counters.connects,
        clients.counters.failures,
    )


def test_how_many_were_open_before_a_loss_is_reported(client, slot, clients, losses):
    client.drop()
    wait_until(lambda: losses)

    assert 1 == clients.counters.take(0.0)["open_before_loss"]
    assert 0 == clients.counters.take(0.0)["open_before_loss"]


def test_a_connection_that_is_renewed_is_closed_and_wanted_back_at_once(clients):
    told = []
    (slot,) = clients.join(1, lambda **how: told.append(how))
    slot.open()
    slot.renew()

    assert ([{"at_once": True}], False) == (told, slot.is_open)


def order_while_nobody_here_reads(venue, fault):
    body = json.dumps(fault).encode()
    head = (
        f"POST /faults HTTP/1.1\r\nHost: here\r\nConnection: close\r\nContent-Length: {len(body)}"
    )
    with monkey.get_original("socket", "socket")() as held_up:
        held_up.connect((venue.host, venue.port))
        held_up.sendall(head.encode() + b"\r\n\r\n" + body)
        while held_up.recv(4096):
            pass


def test_who_is_too_slow_for_an_exchange_is_lost_with_its_words(start_exchange):
    venue = start_exchange(
        "--takes-faults",
        "--instruments=3",
        "--slow-consumer-messages=50",
        "--slow-consumer-code=4008",
    )
    clients = Clients(RunInstructions(**SMALL["orders_for"](venue.port)))
    clients.turn_to(Stage(**stage_of(subscriptions=3)))
    losses = []
    (slot,) = clients.join(1, lambda *, at_once=False: losses.append(at_once))
    slot.open()
    wait_until(lambda: clients.counters.deliveries)
    order_while_nobody_here_reads(venue, {"kind": "burst", "updates": 8000})
    wait_until(lambda: losses)
    counters = clients.counters
    clients.close()

    assert (1, {"closed_by_target": 1}) == (counters.lost, counters.failures)
    assert ["closed with 4008 'slow consumer'"] == counters.said
    assert 0 == counters.gaps
    assert counters.deliveries < 3 * 8000
