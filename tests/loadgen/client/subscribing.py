"""Subscribers that run under Locust against a small target."""

from locust.env import Environment
from locust.event import Events

import runpy
from pathlib import Path

import pytest

from capacity.loadgen.client.subscriber import Subscriber
from capacity.loadgen.client.worker import Worker
from capacity.loadgen.protocol import messages
from capacity.workload.reconnect import ReconnectPolicy

SMALL = runpy.run_path(str(Path(__file__).parents[1] / "small_target.py"))
wait_until, orders_for, stage_of = SMALL["wait_until"], SMALL["orders_for"], SMALL["stage_of"]


class Member(Subscriber):
    weight = 1
    reconnect = ReconnectPolicy(policy="exponential", base_s=0.1, factor=2.0, cap_s=2.0)


@pytest.fixture
def reports():
    return []


@pytest.fixture
def environment(reports):
    environment = Environment(user_classes=[Member], events=Events())
    runner = environment.create_local_runner()
    runner.register_message(messages.COUNTS, lambda msg, **_: reports.append(msg.data))
    yield environment
    runner.quit()
    runner.send_message(messages.END)


@pytest.fixture
def begin(environment, target):
    """Begin a run with that many users; return its clients."""

    def begin_run(users=1, stage=None, port=None, **orders):
        worker = Worker(environment)
        orders = orders_for(port or target.port, **orders)
        environment.runner.send_message(messages.BEGIN, orders)
        environment.runner.send_message(messages.STAGE, stage or stage_of())
        environment.runner.start(users, spawn_rate=100)
        return worker.clients

    return begin_run


@pytest.fixture
def total(environment, reports):
    """End the run; return how much was counted in all under a name."""

    def total_of(name):
        environment.runner.send_message(messages.END)
        return sum(report[name] for report in reports)

    return total_of
