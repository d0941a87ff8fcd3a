"""Clients that hold a public and a private connection each, against a venue that tells them apart."""

from locust.env import Environment
from locust.event import Events

import json
import runpy
import time
import urllib.request
from pathlib import Path

import pytest

from capacity.loadgen.client.clients import Clients
from capacity.loadgen.client.slots.slow_reader import SlowReader
from capacity.loadgen.client.subscriber import Subscriber
from capacity.loadgen.client.worker import Worker
from capacity.loadgen.protocol import messages
from capacity.loadgen.protocol.instructions import RunInstructions, Stage
from capacity.settings.dialect import dump, load_dialect
from capacity.settings.locate import find
from capacity.workload.reconnect import ReconnectPolicy

FOLDER = Path(__file__).parents[1]
SMALL = runpy.run_path(str(FOLDER / "small_target.py"))
wait_until, stage_of = SMALL["wait_until"], SMALL["stage_of"]


class Client(Subscriber):
    weight = 1
    reconnect = ReconnectPolicy(policy="fixed", base_s=0.2, factor=1.0, cap_s=0.2)


@pytest.fixture
def venue(okx_venue):
    return okx_venue


def asked(venue, path):
    with urllib.request.urlopen(f"{venue.url}/{path}", timeout=30) as answer:
        return answer.read()


def counts(venue):
    return json.loads(asked(venue, "counts"))


@pytest.fixture
def orders(venue, tmp_path):
    """Return what a master sends; the credentials of 20 accounts lie in a file."""
    rows = tmp_path / "accounts.csv"
    rows.write_text("key,secret\n" + "".join(f"key-{n},of-{n}\n" for n in range(20)))

    def orders_with(passphrase="open sesame", per_client=2, **changes):
        private = {
            "dialect": "okx-private",
            "channels": ["orders", "account"],
            "connections_per_client": per_client,
            "values": {
                "api_key": {"rows": str(rows), "column": "key"},
                "secret_key": {"rows": str(rows), "column": "secret"},
                "passphrase": passphrase,
            },
        }
        target = {
            "target": 1,
            "name": "venue",
            "host": venue.host,
            "port": venue.port,
            "source_addresses": [],
        }
        followed = {"dialect": "okx", "symbols": ["BTC-USDT"], "channels": ["trades"]}
        dialects = (dump(load_dialect(find("dialects", name))) for name in ("okx", "okx-private"))
        return {
            "target": {**target, **followed, "private": private},
            **dict(zip(("dialect", "private_dialect"), dialects, strict=True)),
            "connections_per_user": per_client,
            **changes,
        }

    return orders_with


@pytest.fixture
def reports():
    return []


@pytest.fixture
def environment(reports, venue):
    environment = Environment(user_classes=[Client], events=Events())
    runner = environment.create_local_runner()
    runner.register_message(messages.COUNTS, lambda msg, **_: reports.append(msg.data))
    yield environment
    runner.quit()
    runner.send_message(messages.END)
    asked(venue, "set?most_private=1000000")
    wait_until(lambda: counts(venue)["public"] == counts(venue)["private"] == 0)


@pytest.fixture
def begin(environment):
    """Begin a run with that many users; return its clients."""

    def begin_run(orders, users):
        worker = Worker(environment)
        environment.runner.send_message(messages.BEGIN, orders)
        environment.runner.send_message(messages.STAGE, stage_of())
        environment.runner.start(users, spawn_rate=100)
        return worker.clients

    return begin_run


def test_each_client_opens_both_and_logs_in_with_its_own_credentials(
    begin, orders, venue, environment, reports
):
    clients = begin(orders(), users=6)
    wait_until(lambda: len(clients.connections) == 12)
    wait_until(lambda: counts(venue)["public"] == counts(venue)["private"] == 6)
    seen = counts(venue)
    wait_until(lambda: clients.counters.deliveries > 0)
    environment.runner.send_message(messages.END)
    totals = {
        name: sum(report[name] for report in reports) for name in ("connects", "lost", "unmatched")
    }

    assert (6, 6) == (seen["public"], seen["private"])
    assert {str(n) for n in range(6)} <= seen["accounts"].keys()
    assert {"connects": 12, "lost": 0, "unmatched": 0} == totals
    assert 6 == sum(report["private"]["connects"] for report in reports)
    assert 6 == max(report["gauges"]["open_private"] for report in reports)
    assert [6, 6] == [
        environment.stats.get(name, "WS").num_requests for name in ("connect", "connect private")
    ]


def test_a_refused_login_is_counted_by_its_kind_and_told_in_the_targets_words(
    begin, orders, venue, environment, reports
):
    asked(venue, "set?most_private=2")
    clients = begin(orders(), users=4)
    wait_until(lambda: clients.private.counters.failures or any(r["failures"] for r in reports))
    wait_until(lambda: len(clients.connections) == 6 and counts(venue)["private"] == 2)
    environment.runner.send_message(messages.END)
    failed = {reason for report in reports for reason in report["failures"]}
    said = [text for report in reports for text in report["said"]]

    assert {"handshake_opening_refused"} == failed
    refused = {number for report in reports for number in report["private"]["refused_logins"]}
    assert refused
    assert refused <= {0, 1, 2, 3}
    assert not any(report["refused_logins"] for report in reports)
    assert all(report["failures"] == report["private"]["failures"] for report in reports)
    assert "private: opening refused: 60014 Too many sessions" in said


def test_what_the_target_says_back_of_a_login_is_not_told(begin, orders, environment, reports):
    clients = begin(orders(passphrase="close sesame"), users=2)
    wait_until(lambda: clients.private.counters.said or any(r["said"] for r in reports))
    environment.runner.send_message(messages.END)
    said = [text for report in reports for text in (*report["said"], *report["examples"])]

    assert any("with {passphrase}" in text for text in said)
    assert not any("sesame" in text for text in said)


def test_who_waits_for_the_answer_to_its_login_is_not_open_yet(begin, orders, venue):
    asked(venue, "set?holds=1")
    clients = begin(orders(), users=3)
    wait_until(lambda: len(clients.connections) == 6)

    assert (3, 0) == (clients.connections.entered, clients.private.open_connections)
    asked(venue, "set")
    wait_until(lambda: clients.connections.entered == 6 == 2 * clients.private.open_connections)


def test_a_private_connection_that_is_lost_comes_back_and_the_public_ones_stay(
    begin, orders, venue, reports
):
    clients = begin(orders(), users=3)
    wait_until(lambda: told_of(clients, reports) == 3 == counts(venue)["private"])
    born_s = {slot.index: slot.born_s for slot in clients.private.slots.values()}
    public_s = [slot.born_s for slot in clients.slots.values()]
    asked(venue, "cut")
    wait_until(
        lambda: all(
            slot.is_open and slot.born_s > born_s[slot.index]
            for slot in clients.private.slots.values()
        )
    )
    wait_until(lambda: counts(venue)["private"] == 3)

    assert public_s == [slot.born_s for slot in clients.slots.values()]


def test_a_user_that_leaves_takes_both_of_its_connections_along(begin, orders, environment, venue):
    clients = begin(orders(), users=5)
    wait_until(lambda: len(clients.connections) == 10)
    environment.runner.start(2, spawn_rate=100)
    wait_until(lambda: len(clients.connections) == 4)
    wait_until(lambda: counts(venue)["public"] == counts(venue)["private"] == 2)

    assert (2, 2) == (len(clients.slots), len(clients.private.slots))


@pytest.fixture
def clients_of(orders):
    made = []

    def clients_with(worker=0, **changes):
        made.append(Clients(RunInstructions(**orders(**changes)), worker))
        return made[-1]

    yield clients_with
    for clients in made:
        clients.close()


@pytest.mark.parametrize(
    ("per_client", "public", "private"),
    [(2, [0, 1, 2], [0, 1, 2]), (3, [0, 1, 2, 3], [0, 1])],
)
def test_the_last_connection_of_each_client_is_private(clients_of, per_client, public, private):
    clients = clients_of(per_client=per_client)
    slots = clients.join(6, lambda: None)

    assert public == [slot.index for slot in slots if slot.kind is clients]
    assert private == [slot.index for slot in slots if slot.kind is clients.private]
    assert all(
        (slot.kind is clients.private) is (n % per_client == per_client - 1)
        for n, slot in enumerate(slots)
    )


def test_slow_readers_are_whole_clients(clients_of):
    slots = clients_of(slow_readers_ratio=0.5).join(8, lambda: None)

    assert [False, False, True, True] * 2 == [isinstance(slot, SlowReader) for slot in slots]


def test_credentials_are_dealt_to_clients_over_all_workers(clients_of):
    second = clients_of(worker=1, workers=2)

    assert ["key-1", "key-3"] == [second.private.values.of(n)["api_key"] for n in (0, 1)]


def test_a_private_connection_follows_all_its_channels_in_every_stage(clients_of):
    clients = clients_of()
    clients.turn_to(Stage(**stage_of(subscriptions=0)))

    assert [] == clients.channels_of(0)
    assert {"orders", "account"} == set(clients.private.channels_of(1))
    assert clients.private.endpoint_for([]).url.endswith("/ws/v5/private")


def told_of(clients, reports):
    so_far = sum(report["private"]["deliveries"] for report in reports)
    return so_far + clients.private.counters.deliveries


def test_silent_private_connections_are_asked_and_not_taken_for_unserved(
    begin, orders, venue, environment, reports
):
    clients = begin(orders(), users=3)
    wait_until(lambda: told_of(clients, reports) == 3)  # Each account's balance, once.
    plateau = stage_of(phase="plateau") | {"hold_s": 0.4}
    environment.runner.send_message(messages.STAGE, plateau)
    wait_until(lambda: all(slot.has_answered for slot in clients.private.slots.values()))
    began_s = clients.private.served._began_s
    wait_until(lambda: time.monotonic() - began_s > 0.4)
    environment.runner.send_message(messages.END)
    seen = [report for report in reports if report["phase"] == "plateau"]

    assert 3 == sum(report["private"]["pinged"] for report in seen)
    assert 0 == sum(report["private"]["half_open"] + report["unserved"] for report in seen)
    assert 6 == sum(report["followers"] for report in seen)
