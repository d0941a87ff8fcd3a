"""Traders of Locust's own runner against the bundled exchange."""

from locust.env import Environment
from locust.event import Events

import runpy
from pathlib import Path

import pytest

from capacity.loadgen.client.order_trader import OrderTrader
from capacity.loadgen.client.worker import Worker
from capacity.loadgen.protocol import messages

FOLDER = Path(__file__).parents[1]
SMALL = runpy.run_path(str(FOLDER / "small_target.py"))
orders_with = runpy.run_path(str(FOLDER / "orders_venue.py"))["orders_with"]
wait_until, stage_of = SMALL["wait_until"], SMALL["stage_of"]


class Dealer(OrderTrader):
    weight = 0
    fixed_count = 2


@pytest.fixture
def runner():
    environment = Environment(user_classes=[Dealer], events=Events())
    runner = environment.create_local_runner()
    Worker(environment)
    yield runner
    runner.quit()
    runner.send_message(messages.END)


def test_orders_reach_the_exchange_by_both_ways_and_show_in_locust(runner, exchange):
    runner.send_message(messages.BEGIN, orders_with(exchange.port))
    runner.send_message(messages.STAGE, {**stage_of(), "orders_per_s": 100.0})
    runner.start(2, spawn_rate=2)
    wanted = {
        f"{kind} ({way})"
        for kind in ("place", "amend", "balance", "cancel")
        for way in ("rest", "websocket")
    }
    stats = runner.environment.stats
    wait_until(lambda: wanted == {name for name, _ in stats.entries})

    assert stats.total.num_failures == 0


def test_traders_without_a_run_leave_with_a_sentence_and_no_traceback(runner, monkeypatch, caplog):
    monkeypatch.setattr("capacity.loadgen.client.worker.INSTRUCTIONS_TIMEOUT_S", 0.1)
    runner.start(2, spawn_rate=2)
    wait_until(lambda: caplog.records and not runner.user_count)

    assert "let the load profile start them" in caplog.text
    assert "Traceback" not in caplog.text
