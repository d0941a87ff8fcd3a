"""A trader's latency against a venue whose delay is known, and what becomes of its requests."""

import runpy
from pathlib import Path
from types import SimpleNamespace

import gevent
import pytest

from capacity.loadgen.client.clients import Clients
from capacity.loadgen.client.trader import Trader
from capacity.loadgen.protocol.instructions import RunInstructions, Stage

FOLDER = Path(__file__).parents[1]
SMALL = runpy.run_path(str(FOLDER / "small_target.py"))
VENUE = runpy.run_path(str(FOLDER / "orders_venue.py"))
wait_until, stage_of, orders_with = SMALL["wait_until"], SMALL["stage_of"], VENUE["orders_with"]
KINDS = ("place", "amend", "balance", "cancel")


@pytest.fixture
def trading(venue):
    """Start traders who together make so many requests a second; return the clients they belong to."""
    started, told = [], []

    def start(orders_per_s, traders=1, **changes):
        orders = orders_with(venue.port, over=("websocket",), **changes)
        clients = Clients(RunInstructions.from_message(orders))
        clients.told = told
        stage = Stage.from_message({**stage_of(), "orders_per_s": orders_per_s})
        clients.turn_to(stage)
        made = [Trader(clients, lambda *each: told.append(each)) for _ in range(traders)]
        started.append((clients, [gevent.spawn(trader.trade) for trader in made], made))
        return clients

    yield start
    for clients, greenlets, made in started:
        gevent.killall(greenlets)
        for trader in made:
            trader.leave()
        clients.close()


def counted(clients):
    return dict(clients.counters.orders)


def test_the_least_latency_is_that_of_the_venue_within_a_millisecond(venue, trading):
    """By the least of them: all others may have waited for a busy machine as well."""
    venue.delay_s = 0.02
    clients = trading(200.0, traders=10)
    wait_until(lambda: len(venue.took_s) >= 160)
    latencies_us = [us for kind in clients.counters.order_latency.values() for us in kind]
    least_s = min(latencies_us) / 1e6

    assert 0.0 <= least_s - min(venue.took_s) < 0.001


def test_what_a_stalled_venue_holds_up_counts_from_the_intent(venue, trading):
    clients = trading(100.0)
    wait_until(lambda: len(venue.frames) > 4)
    venue.delay_s = 0.2
    wait_until(
        lambda: max(max(us, default=0) for us in clients.counters.order_latency.values()) > 2e5
    )
    venue.delay_s = 0.0
    before = len(venue.took_s)
    wait_until(lambda: len(venue.took_s) > before + 2)
    every = [us for kind in clients.counters.order_latency.values() for us in kind]

    # Those that should have been made meanwhile waited as well, and were answered at once.
    assert sum(us > 50_000 for us in every) > sum(took_s > 0.05 for took_s in venue.took_s)


def test_each_kind_has_its_turn_and_its_own_count(venue, trading):
    clients = trading(400.0, traders=2)
    wait_until(lambda: len(venue.took_s) >= 24)

    found = counted(clients)
    assert {f"order_{kind}_websocket_answered" for kind in KINDS} == set(found)
    assert clients.counters.failures == {}


def test_unknown_outcomes_are_their_own_class(venue, trading):
    clients = trading(100.0, answer_timeout_s=0.1)
    wait_until(lambda: len(venue.took_s) >= 4)
    venue.behaviour = "silent"
    wait_until(lambda: clients.counters.failures.get("order_unknown_timeout"))
    unknown = sum(count for name, count in counted(clients).items() if name.endswith("_unknown"))

    assert unknown == clients.counters.failures["order_unknown_timeout"] >= 1
    assert not [name for name in counted(clients) if name.endswith("_refused")]
    assert len([failure for *_rest, failure in clients.told if failure]) == unknown


def test_the_connections_of_traders_are_not_counted_among_those_of_subscribers(venue, trading):
    clients = trading(100.0, traders=3)
    wait_until(lambda: len(clients.trading) == 3)

    assert len(clients.connections) == 0


def test_a_stage_without_orders_has_them_hang_up(venue, trading):
    clients = trading(100.0)
    wait_until(lambda: len(clients.trading) == 1)
    clients.turn_to(Stage.from_message(stage_of()))
    made = clients.traders[0]
    resting = gevent.spawn(made.trade)
    wait_until(lambda: len(clients.trading) == 0)
    asked = len(venue.frames)
    gevent.sleep(0.1)
    resting.kill()

    assert len(venue.frames) == asked


def test_four_traders_take_a_symbol_before_the_next_one_is_taken():
    trader = Trader.__new__(Trader)
    target = SimpleNamespace(symbols=("BTC", "ETH", "SOL"))
    trader._clients, trader._kept = SimpleNamespace(target=target, order_values={}), {}
    taken = []
    for trader._number in range(16):
        taken.append(trader._values()["symbol"])

    assert [*["BTC"] * 4, *["ETH"] * 4, *["SOL"] * 4, *["BTC"] * 4] == taken
