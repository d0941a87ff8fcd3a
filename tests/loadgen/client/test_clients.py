"""What the clients of one worker share: the stage, its share of the rates, the periodic frames."""

import runpy
from pathlib import Path

import gevent
import pytest

from capacity.loadgen.client.clients import IDLE
from capacity.loadgen.protocol.instructions import Stage
from capacity.workload.profiles.pacing import PACING_MARGIN

FLEETS = runpy.run_path(str(Path(__file__).with_name("fleets.py")))
SMALL = FLEETS["SMALL"]
stage_of = FLEETS["stage_of"]
wait_until = FLEETS["wait_until"]
clients_of = FLEETS["clients_of"]
open_slots = FLEETS["open_slots"]
BTC, ETH, SOL = SMALL["BTC"], SMALL["ETH"], SMALL["SOL"]


def test_a_fleet_is_idle_until_its_first_stage(clients_of):
    clients = clients_of()
    clients.pollers.append(object())

    assert (IDLE, -1, []) == (clients.stage, clients.counters.index, clients.channels_of(0))
    assert None is clients.poll_pace(clients.pollers[0])


@pytest.mark.parametrize(
    ("subscriptions", "workers", "per_s"), [(0, 1, 7.0), (2, 1, 4.0), (2, 2, 2.0)]
)
def test_connections_open_no_faster_than_the_pace_of_all_requests_lets_them_subscribe(
    clients_of, subscriptions, workers, per_s
):
    clients = clients_of(total_requests_per_s=4 * PACING_MARGIN, workers=workers)
    clients.turn_to(Stage(**stage_of(subscriptions=subscriptions, connects_per_s=7.0)))

    assert per_s == pytest.approx(clients.connect_pacer.per_s)


def test_a_stage_sets_the_tag_the_channels_and_the_arrival_rate(clients_of):
    clients = clients_of()
    clients.turn_to(Stage(**stage_of(subscriptions=1, connects_per_s=7.0, index=3, phase="settle")))

    assert (3, "settle") == (clients.counters.index, clients.counters.phase)
    assert ([BTC], [ETH], 7.0) == (
        clients.channels_of(0),
        clients.channels_of(1),
        clients.connect_pacer.per_s,
    )


def test_connections_whose_address_names_the_channels_keep_them_in_every_stage(clients_of):
    clients = clients_of(dialect="url-subscribe", subscriptions_by_address=2)
    clients.turn_to(Stage(**stage_of(subscriptions=0)))
    channels = clients.channels_of(1)

    assert not clients.can_resubscribe
    assert ["ETH-PERPETUAL", "SOL-PERPETUAL"] == channels
    assert clients.endpoint_for(channels).url.endswith("/sub/ETH-PERPETUAL,SOL-PERPETUAL")


def test_an_ipv6_target_stands_in_brackets_in_every_address(clients_of):
    clients = clients_of(host="::1")
    polled = {poll.url.partition("/api")[0] for poll in clients.polls}

    assert clients.endpoint_for([BTC]).url.startswith("ws://[::1]:")
    assert {f"http://[::1]:{clients.target.port}"} == polled


def test_connections_leave_from_the_source_addresses_in_turn(clients_of, target):
    clients = clients_of(source_addresses=["127.0.1.0/30", "127.0.0.9"])
    clients.turn_to(Stage(**stage_of()))
    open_slots(clients, 4)
    peers = [client.socket.getpeername()[0] for client in target.clients]

    assert ["127.0.1.1", "127.0.1.2", "127.0.0.9", "127.0.1.1"] == peers


def test_polls_go_through_the_symbols_in_turn(clients_of):
    polls = clients_of().polls
    symbols = [poll.url.partition("instrument_name=")[2] for poll in polls]

    assert {("ticker", "GET")} == {(poll.name, poll.method) for poll in polls}
    assert ["BTC-PERPETUAL", "ETH-PERPETUAL", "SOL-PERPETUAL"] == symbols


def test_a_target_without_rest_is_not_polled(clients_of):
    clients = clients_of(dialect="json-push")
    clients.pollers.append(object())
    clients.turn_to(Stage(**stage_of(requests_per_s=5.0)))

    assert None is clients.poll_pace(clients.pollers[0])


def test_periodic_frames_are_sent_on_every_open_connection(clients_of, target):
    clients = clients_of(beat_every_s=0.2)
    clients.turn_to(Stage(**stage_of()))
    _first, second, _third = open_slots(clients, 3)
    early = gevent.spawn_later(0.5, lambda: len(target.clients[0].asked("beat")))
    second.close()
    wait_until(lambda: len(target.clients[0].asked("beat")) == 5)
    beats = [len(client.asked("beat")) for client in target.clients]

    assert early.get(timeout=0) < 5
    assert beats[1] <= 1
    assert abs(beats[2] - 5) <= 1


def test_a_stage_with_the_same_channels_sends_nothing(clients_of, target):
    clients = clients_of()
    clients.turn_to(Stage(**stage_of(phase="ramp")))
    open_slots(clients, 2)
    before = [len(client.frames) for client in target.clients]
    clients.turn_to(Stage(**stage_of(phase="plateau")))
    gevent.sleep(0.1)

    assert before == [len(client.frames) for client in target.clients]


def test_who_waits_for_a_stage_is_woken_by_it(clients_of):
    clients = clients_of()
    waiting = gevent.spawn(clients.stage_changed.wait, 5)
    gevent.sleep(0)
    clients.turn_to(Stage(**stage_of()))

    assert waiting.get(timeout=1)


def test_those_who_leave_say_goodbye_and_take_no_further_part(clients_of, target):
    clients = clients_of(beat_every_s=0.1)
    clients.turn_to(Stage(**stage_of()))
    slots = open_slots(clients, 3)
    clients.leave(slots[:2])
    wait_until(lambda: len(target.open_clients) == 1)

    assert [True, True, False] == [client.said_goodbye for client in target.clients]
    assert 1 == len(clients.connections)


def test_closing_ends_every_connection_and_every_timer(clients_of, target):
    clients = clients_of(beat_every_s=0.05)
    clients.turn_to(Stage(**stage_of(requests_per_s=1.0)))
    clients.pollers.append(object())
    open_slots(clients, 3)
    waiting = gevent.spawn(clients.stage_changed.wait, 5)
    gevent.sleep(0)
    clients.close()
    wait_until(lambda: not target.open_clients)
    gevent.sleep(0.1)

    assert (True, 0, None) == (
        clients.is_over,
        len(clients.connections),
        clients.poll_pace(object()),
    )
    assert waiting.get(timeout=1)
    assert [True] * 3 == [client.said_goodbye for client in target.clients]


def test_before_the_first_stage_nothing_is_asked_for():
    assert (-1, "idle", 0, 0.0, 100.0, 0.0, 0.0) == (
        IDLE.index,
        IDLE.phase,
        IDLE.subscriptions_per_connection,
        IDLE.requests_per_s,
        IDLE.connects_per_s,
        IDLE.churn_per_s,
        IDLE.hold_s,
    )
