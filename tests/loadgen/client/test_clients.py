"""What the clients of one worker share: the stage, its share of the rates, the periodic frames."""

import runpy
from pathlib import Path

import gevent
import pytest

from capacity.loadgen.client.arrivals.connect_pacer import ConnectPacer
from capacity.loadgen.client.clients import IDLE, Clients
from capacity.loadgen.client.slots.slow_reader import SlowReader
from capacity.loadgen.protocol.instructions import RunInstructions, Stage
from capacity.loadgen.wire.connection import BYTES_PER_READ
from capacity.workload.profiles.pacing import PACING_MARGIN

SMALL = runpy.run_path(str(Path(__file__).parents[1] / "small_target.py"))
wait_until, orders_for, stage_of = SMALL["wait_until"], SMALL["orders_for"], SMALL["stage_of"]
BTC, ETH, SOL = SMALL["BTC"], SMALL["ETH"], SMALL["SOL"]


@pytest.fixture
def clients_of(target):
    """Return the clients of such orders."""
    made = []

    def clients_with(**orders):
        made.append(Clients(RunInstructions(**orders_for(target.port, **orders))))
        return made[-1]

    yield clients_with
    for clients in made:
        clients.close()


def open_slots(clients, count):
    slots = clients.join(count, lambda: None)
    for slot in slots:
        slot.open()
    wait_until(lambda: len(clients.counters.handshake_time) == count)
    return slots


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


@pytest.mark.parametrize(
    ("pollers", "requests_per_s", "active"),
    [(10, 4.0, 4), (10, 10.0, 10), (3, 10.0, 3), (10, 0.2, 1), (1, 0.7, 1)],
)
def test_the_pollers_share_the_rate_and_the_others_rest(
    clients_of, pollers, requests_per_s, active
):
    clients = clients_of(poll_interval_s=1.0)
    clients.pollers += [object() for _ in range(pollers)]
    clients.turn_to(Stage(**stage_of(requests_per_s=requests_per_s)))
    paces = [pace for poller in clients.pollers if (pace := clients.poll_pace(poller))]
    first_delays_s = [first_delay_s for _interval_s, first_delay_s in paces]

    assert active == len(paces)
    assert pytest.approx(requests_per_s) == sum(1 / interval_s for interval_s, _delay_s in paces)
    assert pytest.approx([n / requests_per_s for n in range(active)]) == first_delays_s


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


def test_a_change_of_channels_is_spread_over_the_connections(clients_of, target):
    clients = clients_of()
    clients.turn_to(Stage(**stage_of(subscriptions=1)))
    open_slots(clients, 20)

    def changed():
        return sum(len(client.channels) == 2 for client in target.clients)

    early = gevent.spawn_later(0.1, changed)
    clients.turn_to(Stage(**stage_of(subscriptions=2, connects_per_s=50.0)))
    at_once = changed()
    wait_until(lambda: changed() == 20)

    assert 0 == at_once
    assert early.get(timeout=0) < 20


def test_a_stage_with_the_same_channels_sends_nothing(clients_of, target):
    clients = clients_of()
    clients.turn_to(Stage(**stage_of(phase="ramp")))
    open_slots(clients, 2)
    before = [len(client.frames) for client in target.clients]
    clients.turn_to(Stage(**stage_of(phase="plateau")))
    gevent.sleep(0.1)

    assert before == [len(client.frames) for client in target.clients]


def test_where_polls_increase_pollers_come_before_new_connections(clients_of):
    waited_s = []
    now_s = iter([100.0, 100.0, 100.5]).__next__
    clients = clients_of(poll_interval_s=0.3)
    clients.connect_pacer = ConnectPacer("even", now_s, waited_s.append)
    clients.turn_to(Stage(**stage_of(requests_per_s=1.0)))
    clients.connect_pacer.wait()
    clients.turn_to(Stage(**stage_of(requests_per_s=1.0, phase="settle")))
    clients.connect_pacer.wait()

    assert pytest.approx([0.3, 0.0]) == waited_s


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


def test_every_so_many_th_connection_reads_slowly(clients_of):
    clients = clients_of(slow_readers_ratio=0.25)
    slots = clients.join(8, lambda: None)

    assert [False, False, False, True] * 2 == [isinstance(slot, SlowReader) for slot in slots]
    assert list(range(8)) == [slot.index for slot in slots]
    assert not any(slot.churns for slot in slots)


def test_users_of_a_class_read_slowly_or_churn_all_of_them(clients_of):
    slots = clients_of().join(2, lambda: None, reads_slowly=True, churns=True)

    assert [True, True] == [isinstance(slot, SlowReader) and slot.churns for slot in slots]


def test_traders_are_numbered_over_all_workers(target):
    clients = Clients(RunInstructions(**orders_for(target.port, workers=3)), worker=1)
    numbers = [clients.next_trader() for _ in range(3)]
    clients.close()

    assert [1, 4, 7] == numbers


@pytest.mark.parametrize(
    ("ratio", "bytes_per_s", "has_class", "greenlets"),
    [(0.5, 9.0, False, 1), (0.0, 9.0, False, 0), (0.5, 0.0, False, 0), (0.0, 9.0, True, 1)],
)
def test_slices_are_read_where_somebody_reads_slowly(
    clients_of, ratio, bytes_per_s, has_class, greenlets
):
    plain = len(clients_of()._greenlets)
    clients = clients_of(
        slow_readers_ratio=ratio, slow_read_bytes_per_s=bytes_per_s, has_slow_class=has_class
    )

    assert greenlets == len(clients._greenlets) - plain


def test_a_slow_connection_reads_as_many_bytes_a_second_as_asked(clients_of, monkeypatch):
    intervals_s = []
    monkeypatch.setattr(
        "capacity.loadgen.client.clients.read_slices_forever",
        lambda _held, each: intervals_s.append(each),
    )
    clients_of(slow_readers_ratio=0.5, slow_read_bytes_per_s=BYTES_PER_READ / 4.0)
    gevent.sleep(0)

    assert [4.0] == intervals_s


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


@pytest.mark.parametrize(("phase", "per_s"), [("ramp", 0.0), ("settle", 5.0), ("plateau", 5.0)])
def test_connections_are_replaced_when_all_are_there(clients_of, phase, per_s):
    clients = clients_of()
    clients.turn_to(Stage(**stage_of(churn_per_s=5.0, phase=phase)))

    assert per_s == clients._churn._per_s


def test_a_target_without_orders_has_no_traders(clients_of):
    clients = clients_of()
    clients.traders.append(object())
    clients.turn_to(Stage(**{**stage_of(), "orders_per_s": 5.0}))

    assert clients.order_pace(clients.traders[0]) is None
