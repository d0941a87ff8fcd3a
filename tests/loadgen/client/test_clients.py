"""What the clients of one worker share: the stage, its share of the rates, the periodic frames."""

import runpy
from pathlib import Path

import gevent
import pytest

from capacity.loadgen.connect_pacer import ConnectPacer
from capacity.loadgen.fleet import IDLE, Fleet, Orders, Stage

SMALL = runpy.run_path(str(Path(__file__).with_name("small_target.py")))
wait_until, orders_for, stage_of = SMALL["wait_until"], SMALL["orders_for"], SMALL["stage_of"]
BTC, ETH, SOL = SMALL["BTC"], SMALL["ETH"], SMALL["SOL"]


@pytest.fixture
def target():
    target = SMALL["SmallTarget"]()
    yield target
    target.close()


@pytest.fixture
def fleet_of(target):
    """Return the fleet of such orders."""
    fleets = []

    def fleet_with(**orders):
        fleets.append(Fleet(Orders(**orders_for(target.port, **orders))))
        return fleets[-1]

    yield fleet_with
    for fleet in fleets:
        fleet.close()


def open_feeds(fleet, count):
    feeds = fleet.join(count, lambda: None)
    for feed in feeds:
        feed.open()
    wait_until(lambda: len(fleet.ledger.handshake_time) == count)
    return feeds


def test_a_fleet_is_idle_until_its_first_stage(fleet_of):
    fleet = fleet_of()
    fleet.pollers.append(object())

    assert (IDLE, -1, []) == (fleet.stage, fleet.ledger.index, fleet.channels_of(0))
    assert None is fleet.poll_pace(fleet.pollers[0])


def test_a_stage_sets_the_tag_the_channels_and_the_arrival_rate(fleet_of):
    fleet = fleet_of()
    fleet.turn_to(Stage(**stage_of(subscriptions=1, connects_per_s=7.0, index=3, phase="settle")))

    assert (3, "settle") == (fleet.ledger.index, fleet.ledger.phase)
    assert ([BTC], [ETH], 7.0) == (
        fleet.channels_of(0),
        fleet.channels_of(1),
        fleet.connect_pacer.per_s,
    )


def test_connections_whose_address_names_the_channels_keep_them_in_every_stage(fleet_of):
    fleet = fleet_of(dialect="url-subscribe", subscriptions_by_address=2)
    fleet.turn_to(Stage(**stage_of(subscriptions=0)))
    channels = fleet.channels_of(1)

    assert not fleet.can_resubscribe
    assert ["ETH-PERPETUAL", "SOL-PERPETUAL"] == channels
    assert fleet.endpoint_for(channels).url.endswith("/sub/ETH-PERPETUAL,SOL-PERPETUAL")


def test_an_ipv6_target_stands_in_brackets_in_every_address(fleet_of):
    fleet = fleet_of(host="::1")
    polled = {poll.url.partition("/api")[0] for poll in fleet.polls}

    assert fleet.endpoint_for([BTC]).url.startswith("ws://[::1]:")
    assert {f"http://[::1]:{fleet.target.port}"} == polled


def test_connections_leave_from_the_source_addresses_in_turn(fleet_of, target):
    fleet = fleet_of(source_addresses=["127.0.1.0/30", "127.0.0.9"])
    fleet.turn_to(Stage(**stage_of()))
    open_feeds(fleet, 4)
    peers = [client.socket.getpeername()[0] for client in target.clients]

    assert ["127.0.1.1", "127.0.1.2", "127.0.0.9", "127.0.1.1"] == peers


def test_polls_go_through_the_symbols_in_turn(fleet_of):
    polls = fleet_of().polls
    symbols = [poll.url.partition("instrument_name=")[2] for poll in polls]

    assert {("ticker", "GET")} == {(poll.name, poll.method) for poll in polls}
    assert ["BTC-PERPETUAL", "ETH-PERPETUAL", "SOL-PERPETUAL"] == symbols


def test_a_target_without_rest_is_not_polled(fleet_of):
    fleet = fleet_of(dialect="json-push")
    fleet.pollers.append(object())
    fleet.turn_to(Stage(**stage_of(requests_per_s=5.0)))

    assert None is fleet.poll_pace(fleet.pollers[0])


@pytest.mark.parametrize(
    ("pollers", "requests_per_s", "active"),
    [(10, 4.0, 4), (10, 10.0, 10), (3, 10.0, 3), (10, 0.2, 1), (1, 0.7, 1)],
)
def test_the_pollers_share_the_rate_and_the_others_rest(fleet_of, pollers, requests_per_s, active):
    fleet = fleet_of(poll_interval_s=1.0)
    fleet.pollers += [object() for _ in range(pollers)]
    fleet.turn_to(Stage(**stage_of(requests_per_s=requests_per_s)))
    paces = [pace for poller in fleet.pollers if (pace := fleet.poll_pace(poller))]
    first_delays_s = [first_delay_s for _interval_s, first_delay_s in paces]

    assert active == len(paces)
    assert pytest.approx(requests_per_s) == sum(1 / interval_s for interval_s, _delay_s in paces)
    assert pytest.approx([n / requests_per_s for n in range(active)]) == first_delays_s


def test_periodic_frames_are_sent_on_every_open_connection(fleet_of, target):
    fleet = fleet_of(beat_every_s=0.2)
    fleet.turn_to(Stage(**stage_of()))
    _first, second, _third = open_feeds(fleet, 3)
    early = gevent.spawn_later(0.5, lambda: len(target.clients[0].asked("beat")))
    second.close()
    wait_until(lambda: len(target.clients[0].asked("beat")) == 5)
    beats = [len(client.asked("beat")) for client in target.clients]

    assert early.get(timeout=0) < 5
    assert beats[1] <= 1
    assert abs(beats[2] - 5) <= 1


def test_a_change_of_channels_is_spread_over_the_connections(fleet_of, target):
    fleet = fleet_of()
    fleet.turn_to(Stage(**stage_of(subscriptions=1)))
    open_feeds(fleet, 20)

    def changed():
        return sum(len(client.channels) == 2 for client in target.clients)

    early = gevent.spawn_later(0.1, changed)
    fleet.turn_to(Stage(**stage_of(subscriptions=2, connects_per_s=50.0)))
    at_once = changed()
    wait_until(lambda: changed() == 20)

    assert 0 == at_once
    assert early.get(timeout=0) < 20


def test_a_stage_with_the_same_channels_sends_nothing(fleet_of, target):
    fleet = fleet_of()
    fleet.turn_to(Stage(**stage_of(phase="ramp")))
    open_feeds(fleet, 2)
    before = [len(client.frames) for client in target.clients]
    fleet.turn_to(Stage(**stage_of(phase="plateau")))
    gevent.sleep(0.1)

    assert before == [len(client.frames) for client in target.clients]


def test_where_polls_increase_pollers_come_before_new_connections(fleet_of):
    waited_s = []
    now_s = iter([100.0, 100.0, 100.5]).__next__
    fleet = fleet_of(poll_interval_s=0.3)
    fleet.connect_pacer = ConnectPacer("even", now_s, waited_s.append)
    fleet.turn_to(Stage(**stage_of(requests_per_s=1.0)))
    fleet.connect_pacer.wait()
    fleet.turn_to(Stage(**stage_of(requests_per_s=1.0, phase="settle")))
    fleet.connect_pacer.wait()

    assert pytest.approx([0.3, 0.0]) == waited_s


def test_who_waits_for_a_stage_is_woken_by_it(fleet_of):
    fleet = fleet_of()
    waiting = gevent.spawn(fleet.stage_changed.wait, 5)
    gevent.sleep(0)
    fleet.turn_to(Stage(**stage_of()))

    assert waiting.get(timeout=1)


def test_those_who_leave_say_goodbye_and_take_no_further_part(fleet_of, target):
    fleet = fleet_of(beat_every_s=0.1)
    fleet.turn_to(Stage(**stage_of()))
    feeds = open_feeds(fleet, 3)
    fleet.leave(feeds[:2])
    wait_until(lambda: len(target.open_clients) == 1)

    assert [True, True, False] == [client.said_goodbye for client in target.clients]
    assert 1 == len(fleet.connections)


def test_closing_ends_every_connection_and_every_timer(fleet_of, target):
    fleet = fleet_of(beat_every_s=0.05)
    fleet.turn_to(Stage(**stage_of(requests_per_s=1.0)))
    fleet.pollers.append(object())
    open_feeds(fleet, 3)
    waiting = gevent.spawn(fleet.stage_changed.wait, 5)
    gevent.sleep(0)
    fleet.close()
    wait_until(lambda: not target.open_clients)
    gevent.sleep(0.1)

    assert (True, 0, None) == (fleet.is_over, len(fleet.connections), fleet.poll_pace(object()))
    assert waiting.get(timeout=1)
    assert [True] * 3 == [client.said_goodbye for client in target.clients]
