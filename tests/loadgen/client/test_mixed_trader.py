"""A user that follows and trades, against a venue that knows both."""

from locust.env import Environment
from locust.event import Events

import runpy
from pathlib import Path

from capacity.loadgen.client.mixed_trader import MixedTrader
from capacity.loadgen.client.worker import Worker
from capacity.loadgen.protocol import messages

FOLDER = Path(__file__).parents[1]
SMALL = runpy.run_path(str(FOLDER / "small_target.py"))
orders_with = runpy.run_path(str(FOLDER / "orders_venue.py"))["orders_with"]
wait_until, stage_of = SMALL["wait_until"], SMALL["stage_of"]


class Both(MixedTrader):
    weight = 1


def test_each_user_has_a_connection_for_prices_and_one_for_orders(exchange):
    environment = Environment(user_classes=[Both], events=Events())
    runner = environment.create_local_runner()
    worker = Worker(environment)
    runner.send_message(messages.BEGIN, orders_with(exchange.port, over=("websocket",)))
    runner.send_message(messages.STAGE, {**stage_of(), "orders_per_s": 50.0})
    clients = worker.clients
    runner.start(2, spawn_rate=100)
    try:
        wait_until(lambda: clients.counters.orders.get("order_cancel_websocket_answered"))
        assert (2, 2) == (len(clients.connections), len(clients.trading))
        runner.stop()
        assert [] == clients.traders
    finally:
        runner.quit()
        runner.send_message(messages.END)
