"""Who is served on a plateau, and who is only open."""

from dataclasses import dataclass

import gevent
import pytest

from capacity.loadgen.client.served import Served, unserved
from capacity.loadgen.protocol.counters import Counters

HOLD_S = 0.4


@dataclass
class Row:
    """What is asked of a connection."""

    index: int
    brings: int = 0
    answers: bool | None = True
    born_s: float = 1.0
    is_open: bool = True
    is_judged: bool = True
    is_following: bool = True
    arrivals: int = 0
    is_pinged: bool = False

    def begin_plateau(self):
        self.arrivals = self.brings

    def ping(self):
        self.is_pinged = True

    @property
    def has_answered(self):
        return self.answers if self.is_pinged else None


def channels_of(index):
    return ["a", "b"] if index < 100 else [str(index)]


def held(rows, *, wait_s=HOLD_S, served=None, meanwhile=None):
    served = served or Served(lambda: rows, channels_of)
    counters = Counters()
    served.begin(HOLD_S)
    gevent.sleep(wait_s)
    if meanwhile:
        meanwhile()
    served.sum_up(counters)
    return {
        name: getattr(counters, name) for name in ("followers", "unserved", "pinged", "half_open")
    }


@pytest.fixture(autouse=True)
def pings(monkeypatch):
    monkeypatch.setattr("capacity.loadgen.client.served.ConnectionSlot", Row)


def test_who_brings_nothing_while_others_do_and_answers_is_not_served():
    rows = [Row(n, brings=10 * (n % 2)) for n in range(10)]

    assert {"followers": 10, "unserved": 5, "pinged": 5, "half_open": 0} == held(rows)


def test_who_answers_no_ping_is_half_open():
    rows = [Row(n, answers=n > 3, is_following=False) for n in range(10)]

    assert {"followers": 0, "unserved": 0, "pinged": 10, "half_open": 4} == held(rows)


def test_a_target_that_answers_no_ping_at_all_is_not_gone():
    rows = [Row(n, answers=False) for n in range(4)]

    assert 0 == held(rows)["half_open"]


def test_who_answered_before_is_known_to_answer():
    rows = [Row(n) for n in range(4)]
    served = Served(lambda: rows, channels_of)
    held(rows, served=served)
    for row in rows:
        row.answers, row.is_pinged = False, False

    assert 4 == held(rows, served=served)["half_open"]


def test_who_was_lost_or_opened_again_meanwhile_is_counted_elsewhere():
    rows = [Row(n, brings=10) for n in range(8)] + [Row(8), Row(9)]

    def leave():
        rows[8].is_judged = False
        rows[9].born_s = 2.0

    assert {"followers": 8, "unserved": 0} == {
        name: count
        for name, count in held(rows, meanwhile=leave).items()
        if name in {"followers", "unserved"}
    }


def test_a_plateau_that_was_cut_short_says_nothing():
    rows = [Row(n, brings=10 * (n % 2)) for n in range(10)]

    assert {0} == set(held(rows, wait_s=0.0).values())


@pytest.mark.parametrize(("silent", "is_told"), [(5, False), (6, True)])
def test_no_more_are_told_than_chance_would_leave(silent, is_told):
    """Of 100 with 4 updates each, exp(-4) = 1.8 would bring none; three times that is 5.5."""
    rows = [Row(n, arrivals=4 if n >= silent else 0) for n in range(100)]

    assert (silent if is_told else 0) == len(unserved(rows, channels_of))


def test_channels_that_bring_nothing_to_anybody_say_nothing():
    rows = [Row(n, arrivals=10) for n in range(5)] + [Row(n) for n in range(100, 105)]

    assert [] == unserved(rows, channels_of)
