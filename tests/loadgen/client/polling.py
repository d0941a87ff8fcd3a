"""Pollers that run under Locust against a small server of HTTP."""

from locust.env import Environment
from locust.event import Events

import math
import runpy
import socket
import time
from collections import Counter
from pathlib import Path

import gevent
import pytest
from gevent.pool import Pool
from gevent.pywsgi import WSGIServer

from capacity.domain.histogram import Histogram
from capacity.loadgen.client.poller import Poller
from capacity.loadgen.client.worker import Worker
from capacity.loadgen.protocol import messages

FOLDER = Path(__file__).parents[1]
SMALL = runpy.run_path(str(FOLDER / "small_target.py"))
wait_until, orders_for, stage_of = SMALL["wait_until"], SMALL["orders_for"], SMALL["stage_of"]


class Server:
    """Answers every request; the *stalled* one late, and those with its ETag by 304."""

    def __init__(self):
        self.status, self.headers, self.body, self.tag = "200 OK", [], b"{}", None
        self.stalled, self.stall_s = math.inf, 0.0
        self.asked_s, self.paths, self.clients, self.cookies = [], [], Counter(), []
        self._pool = Pool()
        sock = socket.create_server(("127.0.0.1", 0))
        # It writes head and body apart: without this each answer waits for the client's delayed ACK.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.port = sock.getsockname()[1]
        self._listener = WSGIServer(sock, self._answer, log=None, spawn=self._pool)
        self._listener.start()

    @property
    def open_connections(self):
        return len(self._pool)

    def stop(self):
        self._listener.stop(timeout=0)

    def _answer(self, environ, start_response):
        self.asked_s.append(time.monotonic())
        self.paths.append(environ["PATH_INFO"] + "?" + environ["QUERY_STRING"])
        self.clients[environ["REMOTE_PORT"]] += 1
        self.cookies.append(environ.get("HTTP_COOKIE", ""))
        if len(self.asked_s) == self.stalled:
            gevent.sleep(self.stall_s)
        if self.tag is not None and environ.get("HTTP_IF_NONE_MATCH") == self.tag:
            start_response("304 Not Modified", [("ETag", self.tag)])
            return []
        tag = [("ETag", self.tag)] if self.tag is not None else []
        start_response(self.status, [("Content-Length", str(len(self.body))), *tag, *self.headers])
        return [self.body]


class Client(Poller):
    weight = 0
    fixed_count = 1
    answer_timeout_s = 0.5


@pytest.fixture
def server():
    server = Server()
    yield server
    server.stop()


@pytest.fixture
def reports():
    return []


@pytest.fixture
def runner(reports):
    environment = Environment(user_classes=[Client], events=Events())
    runner = environment.create_local_runner()
    Worker(environment)
    runner.register_message(messages.COUNTS, lambda msg, **_: reports.append(msg.data))
    yield runner
    runner.quit()
    runner.send_message(messages.END)


@pytest.fixture
def poll(runner, server):
    """Start that many pollers in a stage of so many requests a second."""

    def start_polling(requests_per_s, pollers=1, target=None, time=None, **changes):
        orders = orders_for(server.port, **changes)
        orders["target"] |= target or {}
        orders["dialect"]["rest"]["ticker"]["time"] = time
        runner.send_message(messages.BEGIN, orders)
        turn_to(runner, requests_per_s)
        Client.fixed_count = pollers
        runner.start(pollers, spawn_rate=pollers)

    return start_polling


@pytest.fixture
def series(reports):
    """Return what was reported of one series."""

    def merged(name):
        found = Histogram()
        for report in reports:
            found.merge(report["histograms"].get(name, {}))
        return found

    return merged


@pytest.fixture
def ended(runner, reports, series):
    """End the run; return its requests, failures and latencies."""

    def end():
        runner.send_message(messages.END)
        failures = {}
        for report in reports:
            for reason, count in report["failures"].items():
                failures[reason] = failures.get(reason, 0) + count
        requests = sum(report["requests"] for report in reports)
        return requests, failures, series("request_latency")

    return end


def turn_to(runner, requests_per_s, index=0):
    runner.send_message(messages.STAGE, stage_of(requests_per_s=requests_per_s, index=index))
