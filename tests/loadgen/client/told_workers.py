"""A worker that is told what a master would say."""

from locust.env import Environment
from locust.event import Events

import runpy
from pathlib import Path

import pytest

from capacity.loadgen.client.subscriber import Subscriber
from capacity.loadgen.client.worker import Worker
from capacity.loadgen.protocol import messages

SMALL = runpy.run_path(str(Path(__file__).parents[1] / "small_target.py"))
wait_until, orders_for, stage_of = SMALL["wait_until"], SMALL["orders_for"], SMALL["stage_of"]


class Member(Subscriber):
    weight = 1


@pytest.fixture
def environment():
    environment = Environment(user_classes=[Member], events=Events())
    runner = environment.create_local_runner()
    yield environment
    runner.quit()
    runner.send_message(messages.END)


@pytest.fixture
def worker(environment):
    return Worker(environment)


@pytest.fixture
def reports(environment):
    reports = []
    environment.runner.register_message(messages.COUNTS, lambda msg, **_: reports.append(msg.data))
    return reports


@pytest.fixture
def say(environment, worker, target):
    """Say to the worker what a master would."""

    def message(kind, **stage):
        body = {
            messages.BEGIN: lambda: orders_for(target.port),
            messages.STAGE: lambda: stage_of(**stage),
            messages.END: lambda: None,
        }[kind]()
        environment.runner.send_message(kind, body)

    return message


def tags(reports):
    return [(report["index"], report["phase"], report["is_final"]) for report in reports]
