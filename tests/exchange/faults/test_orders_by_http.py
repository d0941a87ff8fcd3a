import pytest
import requests

from capacity.exchange.faults.orders_by_http import is_from_here

TIMEOUT_S = 60.0


def ordered(client, **fault):
    return requests.post(f"{client.http}/faults", json=fault, timeout=TIMEOUT_S)


def test_a_fault_is_done_and_answered_with_those_that_it_befell(exchange):
    client = exchange(takes_faults=True)
    for _ in range(4):
        client.connect()
    client.status_once(lambda status: status["open_connections"] == 4)
    answer = ordered(client, kind="half_open", share_ratio=0.5)

    assert (200, {"kind": "half_open", "connections": 2}) == (answer.status_code, answer.json())
    assert 1 == client.status()["faults"]


def test_one_that_is_due_later_befell_nobody_yet(exchange):
    client = exchange(takes_faults=True)
    answer = ordered(client, kind="burst", updates=1, after_s=0.05)

    assert answer.json()["connections"] is None
    client.status_once(lambda status: status["faults"] == 1)


def test_a_fault_that_cannot_be_is_refused_in_one_line(exchange):
    client = exchange(takes_faults=True)
    answer = ordered(client, kind="stall")

    assert 400 == answer.status_code
    assert "for_s" in answer.json()["error"]
    assert 0 == client.status()["faults"]


def test_without_the_option_nobody_orders_any(exchange):
    assert 404 == ordered(exchange(), kind="half_open").status_code


@pytest.mark.parametrize(
    ("address", "is_here"),
    [("127.0.0.1", True), ("::1", True), ("10.0.0.5", False), ("unix", False), (None, False)],
)
def test_only_loopback_may(address, is_here):
    assert is_here is is_from_here(address)
