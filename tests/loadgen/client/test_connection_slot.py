"""One connection's conversation with a target on a real socket."""

import runpy
from pathlib import Path

import gevent
import pytest

from capacity.loadgen.client.clients import Clients
from capacity.loadgen.client.connection_slot import ONE_MOMENT_S, ConnectionSlot
from capacity.loadgen.protocol.orders import Orders, Stage
from capacity.loadgen.wire.handshake import HandshakeError

SMALL = runpy.run_path(str(Path(__file__).parents[1] / "small_target.py"))
BTC, ETH, SOL = SMALL["BTC"], SMALL["ETH"], SMALL["SOL"]
wait_until, stage_of = SMALL["wait_until"], SMALL["stage_of"]


@pytest.fixture
def target():
    target = SMALL["SmallTarget"]()
    yield target
    target.close()


@pytest.fixture
def clients(target):
    clients = Clients(Orders(**SMALL["orders_for"](target.port)))
    clients.turn_to(Stage(**stage_of(subscriptions=2)))
    yield clients
    clients.close()


@pytest.fixture
def losses():
    return []


@pytest.fixture
def slot(clients, losses):
    (slot,) = clients.join(1, lambda: losses.append("lost"))
    return slot


@pytest.fixture
def client(slot, target, clients):
    """Open the slot; return the target's end of it once the subscription is confirmed."""
    slot.open()
    wait_until(lambda: clients.counters.handshake_time)
    return target.clients[0]


def test_opening_subscribes_to_the_stages_channels(client, clients):
    assert [{"channels": [BTC, ETH]}] == client.asked("public/subscribe")
    assert (1, {}) == (clients.counters.connects, clients.counters.failures)


def test_the_handshake_lasts_until_the_subscription_is_confirmed(target, slot, clients):
    target.answer_s = 0.1
    slot.open()
    before_confirmation = list(clients.counters.handshake_time)
    wait_until(lambda: clients.counters.handshake_time)

    assert [] == before_confirmation
    assert clients.counters.handshake_time[0] >= 100_000


def test_a_connection_without_subscriptions_is_up_with_its_handshake(target, slot, clients):
    clients.turn_to(Stage(**stage_of(subscriptions=0)))
    slot.open()
    wait_until(lambda: target.clients[0].frames)

    assert [] == target.clients[0].asked("public/subscribe")
    assert 1 == len(clients.counters.handshake_time)


def test_each_phase_of_opening_takes_what_the_target_took_for_it(target, slot, clients):
    target.handshake_s, target.answer_s = 0.1, 0.2
    slot.open()
    opening = clients.counters.opening
    wait_until(lambda: opening["subscription"])
    gevent.sleep(0.2)
    target.clients[0].publish(BTC)
    wait_until(lambda: opening["first_data"])
    target.clients[0].publish(BTC)
    wait_until(lambda: clients.counters.deliveries == 2)

    assert [1, 1, 1, 1] == [
        len(opening[phase]) for phase in ("tcp", "upgrade", "subscription", "first_data")
    ]
    assert [0, 0] == [len(opening[phase]) for phase in ("dns", "tls")]
    assert opening["tcp"][0] < 100_000 <= opening["upgrade"][0]
    assert 200_000 <= opening["subscription"][0]
    assert opening["subscription"][0] + 200_000 <= opening["first_data"][0]


def test_updates_that_come_before_the_answer_are_the_first_all_the_same(target, slot, clients):
    target.answer_s = 0.3
    slot.open()
    wait_until(lambda: target.clients[0].frames)
    target.clients[0].publish(BTC)
    wait_until(lambda: clients.counters.opening["subscription"])

    (first_us,), (confirmed_us,) = (
        clients.counters.opening[phase] for phase in ("first_data", "subscription")
    )

    assert first_us < 300_000 <= confirmed_us


def test_an_idle_connection_has_neither_confirmation_nor_first_update_until_it_subscribes(
    target, slot, clients
):
    clients.turn_to(Stage(**stage_of(subscriptions=0)))
    slot.open()
    gevent.sleep(0.1)
    before = {phase for phase, values in clients.counters.opening.items() if values}
    target.answer_s = 0.1
    clients.turn_to(Stage(**stage_of(subscriptions=1, index=1)))
    wait_until(lambda: clients.counters.opening["subscription"])
    target.clients[0].publish(BTC)
    wait_until(lambda: clients.counters.opening["first_data"])

    assert {"tcp", "upgrade"} == before
    assert 1 == len(clients.counters.handshake_time)
    assert (
        clients.counters.handshake_time[0] < 100_000 <= clients.counters.opening["subscription"][0]
    )


def test_further_channels_are_no_first_update(client, clients):
    client.publish(BTC)
    wait_until(lambda: clients.counters.deliveries)
    clients.turn_to(Stage(**stage_of(subscriptions=3, index=1)))
    wait_until(lambda: len(clients.counters.opening["subscription"]) == 2)
    client.publish(SOL)
    wait_until(lambda: clients.counters.deliveries == 2)

    assert 1 == len(clients.counters.opening["first_data"])


def test_updates_are_counted_with_their_bytes_and_their_delay(client, clients):
    now_ms = SMALL["time"].time() * 1000
    for channel in (BTC, ETH, BTC):
        client.publish(channel, timestamp=now_ms - 250)
    wait_until(lambda: clients.counters.deliveries == 3)

    assert 3 == len(clients.counters.delivery_delay)
    assert all(250_000 <= delay_us < 1_250_000 for delay_us in clients.counters.delivery_delay)
    assert clients.counters.delivered_bytes > 3 * len('{"jsonrpc":"2.0","method":"subscription"}')


@pytest.mark.parametrize("step_s", [-3600.0, 0.0, 3600.0])
def test_an_update_arrives_also_where_the_clock_was_set(client, slot, clients, monkeypatch, step_s):
    client.publish(BTC)
    wait_until(lambda: slot.arrivals == 1)
    gevent.sleep(2 * ONE_MOMENT_S)
    real_s = SMALL["time"].time
    monkeypatch.setattr(SMALL["time"], "time", lambda: real_s() + step_s)
    client.publish(BTC)
    wait_until(lambda: slot.arrivals == 2)

    assert 2 == clients.counters.deliveries


def test_an_update_from_the_future_was_not_delayed(client, clients):
    client.publish(BTC, timestamp=SMALL["time"].time() * 1000 + 60_000)
    wait_until(lambda: clients.counters.deliveries)

    assert {0: 1} == clients.counters.take(0.0)["histograms"]["delivery_delay"]


def test_an_update_without_a_time_is_counted_as_untimed(client, clients):
    client.publish(BTC, timestamp="yesterday")
    wait_until(lambda: clients.counters.deliveries)

    assert (1, []) == (clients.counters.untimed, clients.counters.delivery_delay)


def test_what_the_dialect_does_not_know_is_unmatched_and_no_delivery(client, clients):
    client.say(method="maintenance")
    client.publish(SOL)
    wait_until(lambda: clients.counters.unmatched == 2)
    maintenance, of_another = clients.counters.examples

    assert 0 == clients.counters.deliveries
    assert maintenance.startswith("no rule for: ")
    assert '"maintenance"' in maintenance
    assert of_another.startswith("an update of a channel not subscribed to: ")


def test_a_refused_channel_is_a_failure_and_is_not_asked_for_again(target, slot, clients):
    target.refused = {ETH}
    slot.open()
    wait_until(lambda: clients.counters.failures)
    gevent.sleep(0.05)

    assert {"subscribe_rejected": 1} == clients.counters.failures
    assert 1 == len(target.clients[0].asked("public/subscribe"))
    assert slot.is_open


def test_a_ping_is_answered(client):
    client.ping(b"there?")
    wait_until(lambda: client.pongs)

    assert [b"there?"] == client.pongs


def test_the_dialects_own_ping_is_answered_too(client):
    client.say(method="heartbeat", params={"type": "test_request"})
    wait_until(lambda: client.asked("public/test"))

    assert [{}] == client.asked("public/test")


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
    slot.beat(0)
    slot.close()

    assert (False, []) == (slot.is_open, losses)


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


def test_feeds_spread_over_the_channels_by_their_index(clients, target):
    slots = clients.join(3, lambda: None)
    for slot in slots:
        slot.open()
    wait_until(lambda: len(clients.counters.handshake_time) == 3)

    assert isinstance(slots[0], ConnectionSlot)
    assert [{BTC, ETH}, {ETH, SOL}, {SOL, BTC}] == [client.channels for client in target.clients]


@pytest.mark.parametrize(
    ("code", "lost", "reason"),
    [(1013, 0, "handshake_closed_1013"), (1001, 1, "closed_by_target")],
)
def test_who_is_let_in_only_to_be_told_to_go_was_refused(
    target, slot, clients, losses, code, lost, reason
):
    target.closes_with = code
    slot.open()
    wait_until(lambda: losses)

    assert (lost, lost, {reason: 1}) == (
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
