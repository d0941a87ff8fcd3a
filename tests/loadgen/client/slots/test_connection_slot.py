"""One connection's conversation with a target on a real socket."""

import runpy
from pathlib import Path
from types import SimpleNamespace

import gevent
import pytest

from capacity.loadgen.client.slots import connection_slot
from capacity.loadgen.client.slots.connection_slot import ConnectionSlot
from capacity.loadgen.client.slots.watched import ONE_MOMENT_S
from capacity.loadgen.protocol.instructions import Stage

SMALL = runpy.run_path(str(Path(__file__).parents[2] / "small_target.py"))
BTC, ETH, SOL = SMALL["BTC"], SMALL["ETH"], SMALL["SOL"]
wait_until, stage_of = SMALL["wait_until"], SMALL["stage_of"]


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


def test_updates_that_a_glance_found_without_a_number_are_counted_once(client, clients):
    client.publish(BTC)
    wait_until(lambda: clients.counters.deliveries == 1)
    client.publish(ETH)
    wait_until(lambda: clients.counters.deliveries == 2)

    assert (2, 0) == (clients.counters.unnumbered, clients.dialect.glances.unnumbered)


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


def test_feeds_spread_over_the_channels_by_their_index(clients, target):
    slots = clients.join(3, lambda: None)
    for slot in slots:
        slot.open()
    wait_until(lambda: len(clients.counters.handshake_time) == 3)

    assert isinstance(slots[0], ConnectionSlot)
    assert [{BTC, ETH}, {ETH, SOL}, {SOL, BTC}] == [client.channels for client in target.clients]


def test_delays_are_told_on_the_clock_of_the_target(client, clients):
    clients.clock_offset_s = 400.0
    client.publish(BTC, timestamp=(SMALL["time"].time() - 600.0) * 1000)
    wait_until(lambda: clients.counters.deliveries)
    counters = clients.counters

    assert [pytest.approx(1000e6, rel=0.04)] == counters.delivery_delay
    assert all(delay_us == pytest.approx(1000e6, rel=0.04) for delay_us in counters.arrival_delay)
    assert all(0 <= waited_us < 40e6 for waited_us in counters.queueing)


@pytest.mark.parametrize(
    ("before_s", "arrivals"), [(0.049, 0), (-0.049, 0), (0.051, 1), (-0.051, 1), (3600.0, 1)]
)
def test_updates_within_a_moment_are_one_arrival(
    client, slot, clients, monkeypatch, before_s, arrivals
):
    now_s = SMALL["time"].time()
    slot._served_s = now_s - before_s
    clock = SimpleNamespace(time=lambda: now_s, monotonic=SMALL["time"].monotonic)
    monkeypatch.setattr(connection_slot, "time", clock)
    client.publish(BTC)
    wait_until(lambda: clients.counters.deliveries)

    assert arrivals == slot.arrivals


def test_what_waits_for_us_and_what_is_under_way_is_noted_in_microseconds(client, clients, slot):
    clients.clock_offset_s = 3.0
    clients.counters.queueing.clear()
    clients.counters.arrival_delay.clear()
    slot._note_arrival(10.0, 10.25, None)
    slot._note_arrival(20.0, 20.5, 22.0)

    assert [250_000.0, 500_000.0] == list(clients.counters.queueing)
    assert [1_000_000.0] == list(clients.counters.arrival_delay)
