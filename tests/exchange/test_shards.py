"""Several processes on one port: started as a program, because they fork and take signals."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, closing

import psutil
import pytest
import requests
import websocket

PROGRAM = """
import sys
from capacity.domain.errors import CapacityError
from capacity.exchange.options import ExchangeOptions
from capacity.exchange.shards import serve_sharded
try:
    serve_sharded(ExchangeOptions({options}), lambda port: print(port, flush=True))
except CapacityError as error:
    print(error, file=sys.stderr)
    sys.exit(error.exit_code)
"""
TIMEOUT_S = 60.0
CALM_READINGS = 10


class Sharded:
    """An exchange of several processes, seen from outside."""

    def __init__(self, process):
        self.process = process
        self.port = int(process.stdout.readline() or 0)
        self.shards = psutil.Process(process.pid).children() if self.port else []
        self._connections = []

    def connect(self, count):
        for _ in range(count):
            connection = websocket.create_connection(
                f"ws://127.0.0.1:{self.port}/ws/api/v2", timeout=TIMEOUT_S
            )
            self._connections.append(connection)

    def hang_up(self):
        for connection in self._connections:
            connection.shutdown()
        self._connections = []

    def status(self):
        return requests.get(f"http://127.0.0.1:{self.port}/status", timeout=TIMEOUT_S).json()

    def end(self):
        """Return exit code and what was said once it has ended."""
        _said, complaint = self.process.communicate(timeout=TIMEOUT_S)
        psutil.wait_procs(self.shards, timeout=TIMEOUT_S)
        assert not [shard for shard in self.shards if shard.is_running()]
        return self.process.returncode, complaint


@pytest.fixture
def sharded():
    """Start one with options."""
    with ExitStack() as stack:

        def start(**options):
            options = {"port": 0, "processes": 2, **options}
            text = ", ".join(f"{name}={value!r}" for name, value in options.items())
            process = stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", PROGRAM.format(options=text)],
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                )
            )
            exchange = Sharded(process)
            for shard in exchange.shards:
                stack.callback(_kill, shard)
            stack.callback(process.kill)
            stack.callback(exchange.hang_up)
            return exchange

        yield start


def _kill(process):
    if process.is_running():
        process.kill()


def wait_until(condition):
    deadline_s = time.monotonic() + TIMEOUT_S
    while not condition():
        if time.monotonic() > deadline_s:
            raise TimeoutError("what was waited for did not come about in time")
        time.sleep(0.05)


def at_rest(shards):
    """Return the descriptors of each process, once what comes and goes with its start or a question is gone."""
    readings = []

    def is_calm():
        readings.append({shard.pid: shard.num_fds() for shard in shards})
        return len(readings) >= CALM_READINGS and all(
            each == readings[-1] for each in readings[-CALM_READINGS:]
        )

    wait_until(is_calm)
    return readings[-1]


def test_connections_spread_over_the_processes_and_status_is_that_of_all(sharded):
    exchange = sharded(processes=3)
    idle = at_rest(exchange.shards)
    exchange.connect(60)
    wait_until(lambda: exchange.status()["open_connections"] == 60)
    held = {pid: count - idle[pid] for pid, count in at_rest(exchange.shards).items()}

    assert 3 == len(held)
    assert 60 <= sum(held.values()) <= 62
    assert min(held.values()) >= 5
    assert (60, 3) == (exchange.status()["accepted"], exchange.status()["processes"])


def test_each_process_has_the_descriptor_limit_and_its_parent_has_not(sharded):
    exchange = sharded(descriptor_limit=64)
    soft = [shard.rlimit(psutil.RLIMIT_NOFILE)[0] for shard in exchange.shards]

    assert [64, 64] == soft
    assert 64 != psutil.Process(exchange.process.pid).rlimit(psutil.RLIMIT_NOFILE)[0]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_all_in_good_order(sharded, number):
    exchange = sharded()
    exchange.connect(10)
    exchange.process.send_signal(number)

    assert (0, "") == exchange.end()


def test_a_terminals_interrupt_reaches_all_and_is_no_accident(sharded):
    exchange = sharded()
    for process in (*exchange.shards, exchange.process):
        process.send_signal(signal.SIGINT)
    code, said = exchange.end()

    assert (0, "") == (code, said)


def test_the_death_of_one_ends_all_with_an_exit_code(sharded):
    exchange = sharded(processes=3)
    exchange.shards[1].kill()
    code, said = exchange.end()

    assert 1 == code
    assert re.fullmatch(r"one of .* 3 processes was killed by SIGKILL; all were ended\n", said)


def test_one_that_leaves_by_itself_ends_all_too(sharded):
    exchange = sharded()
    exchange.shards[0].terminate()
    code, said = exchange.end()

    assert (1, True) == (code, "ended with 0" in said)


def test_the_processes_do_not_outlive_their_parent(sharded):
    exchange = sharded()
    exchange.connect(4)
    os.kill(exchange.process.pid, signal.SIGKILL)

    assert (-signal.SIGKILL, "") == exchange.end()


def test_a_taken_port_is_not_joined(sharded):
    first = sharded()
    code, said = sharded(port=first.port).end()

    assert 3 == code
    assert f"cannot listen on 127.0.0.1:{first.port}: Address already in use" in said


def test_a_port_can_be_chosen(sharded):
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]

    assert port == sharded(port=port).port


def test_too_many_descriptors_are_refused_before_anything_starts(sharded):
    code, said = sharded(descriptor_limit=1 << 40).end()

    assert 3 == code
    assert 1 == said.count("\n")


def test_a_book_that_one_process_tells_goes_on_from_snapshots_of_all(sharded):
    # Less than ten moves a second: each event is one move, and has the number of any snapshot behind it.
    exchange = sharded(processes=2, updates_per_s=8.0, instruments=1)
    base = f"127.0.0.1:{exchange.port}"
    url, asked = f"http://{base}/api/v3/depth", {"symbol": "BTCUSDT"}
    with closing(
        websocket.create_connection(f"ws://{base}/ws/btcusdt@depth@100ms", timeout=TIMEOUT_S)
    ) as stream:
        events = [json.loads(stream.recv())]
        bids_at = {}
        while len(bids_at) < 4:  # Each over a connection of its own, which either process takes.
            told = requests.get(url, params=asked, timeout=TIMEOUT_S).json()
            if told["lastUpdateId"] >= events[0]["u"]:
                bids_at[told["lastUpdateId"]] = dict(told["bids"])
        while events[-1]["u"] < max(bids_at):
            events.append(json.loads(stream.recv()))
    kept, *others = sorted(bids_at)
    bids, laid_beside = dict(bids_at[kept]), 0
    for event in events:
        if event["u"] > kept:
            changed = bids | dict(event["b"])
            bids = {price: amount for price, amount in changed.items() if float(amount)}
        if event["u"] in others:
            assert bids == bids_at[event["u"]]
            laid_beside += 1

    assert len(others) == laid_beside
