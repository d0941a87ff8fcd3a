"""A slot follows the stages of a run, also while it is being opened."""

import runpy
from pathlib import Path

import gevent
import pytest

from capacity.loadgen.client.clients import Clients
from capacity.loadgen.protocol.instructions import RunInstructions, Stage
from capacity.workload.profiles.pacing import PACING_MARGIN

SMALL = runpy.run_path(str(Path(__file__).parents[2] / "small_target.py"))
BTC, ETH, SOL = SMALL["BTC"], SMALL["ETH"], SMALL["SOL"]
wait_until, stage_of = SMALL["wait_until"], SMALL["stage_of"]


def test_a_stage_with_more_channels_subscribes_to_the_new_ones_only(client, slot, clients):
    clients.turn_to(Stage(**stage_of(subscriptions=3)))
    wait_until(lambda: len(client.channels) == 3)

    assert {"channels": [SOL]} == client.asked("public/subscribe")[-1]
    assert [] == client.asked("public/unsubscribe")


def test_a_stage_with_fewer_channels_leaves_the_others(client, slot, clients):
    clients.turn_to(Stage(**stage_of(subscriptions=1)))
    wait_until(lambda: len(client.channels) == 1)

    assert {BTC} == client.channels
    assert [{"channels": [ETH]}] == client.asked("public/unsubscribe")


def test_channels_can_be_left_and_taken_up_again(client, clients):
    for subscriptions in (0, 3, 1, 2):
        clients.turn_to(Stage(**stage_of(subscriptions=subscriptions)))
        wait_until(lambda count=subscriptions: len(client.channels) == count)

    assert {BTC, ETH} == client.channels
    assert {} == clients.counters.failures


@pytest.mark.parametrize("subscriptions", [0, 1, 3])
@pytest.mark.parametrize("first", [0, 2])
def test_a_stage_that_begins_during_the_handshake_is_followed(
    target, slot, clients, first, subscriptions
):
    clients.turn_to(Stage(**stage_of(subscriptions=first)))
    target.handshake_s = 0.1
    opening = gevent.spawn(slot.open)
    wait_until(lambda: target.arrived_s)
    clients.turn_to(Stage(**stage_of(subscriptions=subscriptions)))
    opening.get()
    wait_until(lambda: clients.counters.handshake_time)

    assert subscriptions == len(target.clients[0].channels)


@pytest.mark.parametrize("subscriptions", [0, 1, 3])
def test_a_stage_that_begins_before_the_answer_is_followed(target, slot, clients, subscriptions):
    target.answer_s = 0.1
    slot.open()
    clients.turn_to(Stage(**stage_of(subscriptions=subscriptions)))
    wait_until(lambda: clients.counters.handshake_time)
    target.answer_s = 0.0
    wait_until(lambda: len(target.clients[0].channels) == subscriptions)

    assert {} == clients.counters.failures


def test_a_stage_that_begins_before_a_refusal_is_followed(target, slot, clients):
    target.answer_s, target.refused = 0.1, {ETH}
    slot.open()
    clients.turn_to(Stage(**stage_of(subscriptions=1)))
    wait_until(lambda: clients.counters.failures)
    target.answer_s = 0.0
    clients.turn_to(Stage(**stage_of(subscriptions=0)))
    wait_until(lambda: target.clients[0].asked("public/unsubscribe"))

    assert [{"channels": [BTC]}] == target.clients[0].asked("public/unsubscribe")


def test_a_closed_feed_takes_no_part_in_a_stage(slot, clients, losses):
    clients.turn_to(Stage(**stage_of(subscriptions=3)))
    slot.follow()
    slot.send_periodic(0)
    slot.close()

    assert (False, []) == (slot.is_open, losses)


def test_what_all_connections_ask_for_keeps_to_their_pace_and_is_no_delay_of_the_target(target):
    orders = SMALL["orders_for"](target.port, total_requests_per_s=PACING_MARGIN / 1000)
    clients, now_s = Clients(RunInstructions(**orders)), [50.0]
    clients.turn_to(Stage(**stage_of(subscriptions=2)))
    clients.request_turns.clock_s = lambda: now_s[0]
    clients.request_turns.sleep = lambda pause_s: now_s.append(now_s.pop() + pause_s)
    for slot in clients.join(2, lambda: None):
        slot.open()
    wait_until(lambda: len(clients.counters.handshake_time) == 2)
    clients.close()

    assert [1050.0] == pytest.approx(now_s)
    # The target confirmed the second at once, a thousand seconds of this clock before they were over.
    assert [False, True] == [lasted_us < 0 for lasted_us in clients.counters.handshake_time]
