"""How the rates of polls, orders, slow reads and replacements are shared over the connections."""

import runpy
from pathlib import Path

import gevent
import pytest

from capacity.loadgen.client.arrivals.connect_pacer import ConnectPacer
from capacity.loadgen.client.clients import Clients
from capacity.loadgen.client.slots.slow_reader import SlowReader
from capacity.loadgen.protocol.instructions import RunInstructions, Stage
from capacity.loadgen.wire.connection import BYTES_PER_READ

FLEETS = runpy.run_path(str(Path(__file__).with_name("fleets.py")))
orders_for = FLEETS["orders_for"]
stage_of = FLEETS["stage_of"]
wait_until = FLEETS["wait_until"]
clients_of = FLEETS["clients_of"]
open_slots = FLEETS["open_slots"]


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
