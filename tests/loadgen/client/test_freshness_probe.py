"""The probe beside the load, on the bundled exchange."""

import runpy
from pathlib import Path

import gevent

from capacity.loadgen.client.clients import Clients
from capacity.loadgen.protocol.instructions import RunInstructions

SMALL = runpy.run_path(str(Path(__file__).parents[1] / "small_target.py"))
wait_until, orders_for = SMALL["wait_until"], SMALL["orders_for"]


def probing(port, worker=0, **changes):
    orders = orders_for(port, freshness_poll_interval_s=0.05, **changes)
    return Clients(RunInstructions.from_message(orders), worker)


def test_pushed_and_polled_versions_of_one_instrument_are_noted_on_one_scale(exchange):
    clients = probing(exchange.port)
    try:
        counters = clients.counters
        wait_until(lambda: len(counters.pushed_versions) > 3 and len(counters.polled_versions) > 3)
        assert len(clients.connections) == 0
        newest = counters.pushed_versions[-1][2]
        wait_until(lambda: counters.polled_versions[-1][1] >= newest)
        assert all(
            arrived_s >= published_s - 0.001
            for arrived_s, published_s, _ in counters.pushed_versions
        )
        assert counters.failures == {}
    finally:
        clients.close()


def test_a_probe_logs_in_where_the_dialect_has_everybody_log_in(exchange):
    login = {
        "jsonrpc": "2.0",
        "id": "{id:int}",
        "method": "public/auth",
        "params": {
            "grant_type": "client_credentials",
            "client_id": "{client_id}",
            "client_secret": "{client_secret}",
        },
    }
    answer = {"where": {"id": "{id:int}"}, "ok": {"result.access_token": {"exists": True}}}
    orders = orders_for(exchange.port, freshness_poll_interval_s=0.05)
    orders["dialect"] |= {
        "needs": ["client_id", "client_secret"],
        "opening": [{"send": login, "answer": answer}],
    }
    orders["target"]["values"] = {"client_id": "demo", "client_secret": "of demo"}
    clients = Clients(RunInstructions.from_message(orders))
    try:
        wait_until(lambda: clients.counters.pushed_versions)
        assert clients.counters.failures == {}
    finally:
        clients.close()


def test_only_the_first_worker_watches(exchange):
    clients = probing(exchange.port, worker=1)
    gevent.sleep(0.2)
    clients.close()

    assert clients.counters.polled_versions == []


def test_where_nobody_answers_the_failures_are_counted_as_the_probes():
    with gevent.socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    clients = probing(port)
    expected = {"freshness_connect_refused", "freshness_request_connect_refused"}
    try:
        wait_until(lambda: set(clients.counters.failures) == expected)
        assert (clients.counters.pushed_versions, clients.counters.polled_versions) == ([], [])
    finally:
        clients.close()


def test_the_probe_asks_in_its_turn_where_all_connections_share_a_pace(exchange):
    clients = probing(exchange.port, total_requests_per_s=0.001)
    try:
        clients.request_turns.send(b"of another connection", lambda _frame: True)
        alone_s = clients.request_turns.wait_s(1)
        wait_until(lambda: clients.request_turns.wait_s(1) > alone_s)
        wait_until(lambda: clients.counters.polled_versions)
        assert [] == clients.counters.pushed_versions, "it is not subscribed yet"
    finally:
        clients.close()
