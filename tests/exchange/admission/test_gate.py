import pytest

from capacity.exchange.admission import gate as module
from capacity.exchange.admission.gate import BANNED, CAP_RETRY_S, THROTTLED, Gate, Refusal
from capacity.exchange.counters import Counters
from capacity.exchange.options import ExchangeOptions

HERE, THERE = "127.0.0.1", "127.0.0.2"


class Clock:
    now_s = 1000.0

    def __call__(self):
        return self.now_s


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def counters():
    return Counters()


@pytest.fixture
def gate(clock, counters):
    def of(**options):
        return Gate(ExchangeOptions(**options), counters, clock)

    return of


def status_of(refusal):
    return None if refusal is None else refusal.status


def test_an_address_may_have_so_many_connections_and_another_as_many(gate, counters):
    gate = gate(max_connections_per_address=2)

    assert [None, None, THROTTLED] == [status_of(gate.connect(HERE)) for _ in range(3)]
    assert gate.connect(THERE) is None
    assert 1 == counters.throttled
    gate.leave(HERE)
    assert gate.connect(HERE) is None
    refusal = gate.connect(HERE)
    assert (CAP_RETRY_S, True) == (refusal.retry_after_s, "from your address, 2" in refusal.reason)


def test_attempts_are_counted_in_a_window_that_begins_with_the_first(gate, clock, counters):
    gate = gate(connects_per_address=2, connects_window_s=300.0)
    statuses = [status_of(gate.connect(HERE)) for _ in range(2)]
    for _ in range(2):
        gate.leave(HERE)
    clock.now_s += 200.5
    refusal = gate.connect(HERE)

    assert [None, None] == statuses
    assert (THROTTLED, 100) == (refusal.status, refusal.retry_after_s)
    assert "2 are allowed in 300 s" in refusal.reason
    assert gate.connect(THERE) is None
    clock.now_s += 99.4
    assert THROTTLED == status_of(gate.connect(HERE))
    assert 2 == counters.throttled
    clock.now_s += 0.1
    assert [None, None, THROTTLED] == [status_of(gate.connect(HERE)) for _ in range(3)]


def test_an_attempt_that_the_other_cap_refuses_counts_too(gate, clock):
    gate = gate(max_connections_per_address=1, connects_per_address=2)
    reasons = [gate.connect(HERE) for _ in range(3)]

    assert reasons[0] is None
    assert "from your address, 1 are allowed" in reasons[1].reason
    assert "too many attempts" in reasons[2].reason
    clock.now_s += 301.0
    gate.leave(HERE)
    assert gate.connect(HERE) is None


def test_credits_last_for_a_burst_and_come_back_at_their_rate(gate, clock):
    gate = gate(credits_per_s=2.0, credits_burst=10)

    assert [None, None, THROTTLED] == [status_of(gate.ask(HERE, 5)) for _ in range(3)]
    assert gate.ask(THERE, 10) is None
    assert 3 == gate.ask(HERE, 5).retry_after_s
    clock.now_s += 2.4
    assert THROTTLED == status_of(gate.ask(HERE, 5))
    clock.now_s += 0.1
    assert gate.ask(HERE, 5) is None
    clock.now_s += 1000.0
    assert [None, THROTTLED] == [status_of(gate.ask(HERE, weight)) for weight in (10, 1)]


def test_what_weighs_more_than_all_credits_takes_them_all_and_comes_through_in_the_end(gate, clock):
    gate = gate(credits_per_s=2.0, credits_burst=10)
    assert gate.ask(HERE, 1) is None
    refusal = gate.ask(HERE, 250)
    assert (THROTTLED, 1) == (refusal.status, refusal.retry_after_s)
    clock.now_s += refusal.retry_after_s

    assert gate.ask(HERE, 250) is None
    assert THROTTLED == status_of(gate.ask(HERE, 1))


def test_who_goes_on_without_credits_is_banned_for_twice_as_long_each_time(gate, clock, counters):
    gate = gate(credits_per_s=0.001, credits_burst=10, ban_after=3, ban_s=60.0)
    assert gate.ask(HERE, 10) is None
    statuses = [status_of(gate.ask(HERE, 1)) for _ in range(2)]
    assert gate.ask(HERE, 0) is None
    statuses += [status_of(gate.ask(HERE, 1)) for _ in range(3)]

    assert [THROTTLED] * 3 + [BANNED] * 2 == statuses
    assert (3, 2) == (counters.throttled, counters.banned)
    assert BANNED == status_of(gate.connect(HERE))
    assert gate.ask(THERE, 1) is None
    clock.now_s += 59.9
    assert Refusal(
        status=BANNED,
        retry_after_s=1,
        reason="your address is banned for 1 s: it went on after too many requests",
    ) == gate.ask(HERE, 0)
    clock.now_s += 0.2
    assert [THROTTLED] * 3 + [BANNED] == [status_of(gate.ask(HERE, 1)) for _ in range(4)]
    assert 120 == gate.ask(HERE, 1).retry_after_s


def test_who_waits_begins_to_count_anew(gate, clock):
    gate = gate(credits_per_s=1.0, credits_burst=10, ban_after=2)
    assert gate.ask(HERE, 10) is None
    for _ in range(3):
        assert [THROTTLED, THROTTLED] == [status_of(gate.ask(HERE, 1)) for _ in range(2)]
        clock.now_s += 1.0
        assert gate.ask(HERE, 1) is None


def test_without_credits_to_keep_to_any_request_passes(gate):
    gate = gate(max_connections_per_address=1)

    assert {None} == {gate.ask(HERE, 1_000_000) for _ in range(100)}


def test_those_are_forgotten_who_have_all_their_credits_and_no_connection(gate, clock, monkeypatch):
    monkeypatch.setattr(module, "MOST_ADDRESSES", 3)
    gate = gate(credits_per_s=1.0, credits_burst=10)
    gate.connect("connected")
    gate.ask("old", 1)
    clock.now_s += 10.0
    gate.ask("new", 10)
    gate.ask("newer", 1)

    assert {"connected", "new", "newer"} == gate._visitors.keys()


def test_who_has_attempts_that_count_is_not_forgotten(gate, clock, monkeypatch):
    monkeypatch.setattr(module, "MOST_ADDRESSES", 2)
    gate = gate(connects_per_address=1)
    for address in ("early", "late"):
        gate.connect(address)
        gate.leave(address)
        clock.now_s += 200.0
    gate.connect("new")

    assert {"late", "new"} == gate._visitors.keys()
