"""Who is served on a plateau, and who is only open."""

from dataclasses import dataclass
from types import SimpleNamespace

import gevent
import pytest

from capacity.loadgen.client import served as module
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
    unconfirmed: int = 0
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
    served = served or Served(lambda: rows, channels_of, Counters())
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
    monkeypatch.setattr("capacity.loadgen.client.served.Watched", Row)


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
    served = Served(lambda: rows, channels_of, Counters())
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


def test_subscriptions_without_an_answer_are_counted_when_a_plateau_ends():
    served, counters = Served(lambda: rows, channels_of, Counters()), Counters()
    rows = [Row(1, brings=1, unconfirmed=2), Row(2, brings=1), Row(3, brings=1, unconfirmed=1)]
    served.begin(HOLD_S)
    gevent.sleep(HOLD_S)
    served.sum_up(counters)

    assert {"subscribe_unconfirmed": 3} == counters.failures


@pytest.mark.parametrize(("after_s", "is_told"), [(899.0, False), (901.0, True)])
def test_a_plateau_is_judged_that_was_held_for_nine_tenths(after_s, is_told):
    rows = [Row(n, brings=10 * (n % 2)) for n in range(10)]
    served, counters = Served(lambda: rows, channels_of, Counters()), Counters()
    served.begin(1000.0)
    served._began_s -= after_s
    served.sum_up(counters)

    assert (10 if is_told else 0) == counters.followers


def test_silent_ones_three_others_and_the_newest_are_pinged():
    """The newest three are 7, 8 and 9, the silent ones even, the three others 1, 3 and 5."""
    rows = [Row(n, brings=n % 2, born_s=n) for n in range(10)] + [Row(10, is_judged=False)]
    served = Served(lambda: rows, channels_of, Counters())
    served.begin(0.0)
    served._pinging.join()

    assert [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] == [row.index for row in rows if row.is_pinged]


def test_where_nobody_is_silent_the_three_newest_are_pinged():
    rows = [Row(n, brings=1, born_s=10.0 - n) for n in range(10)]
    served = Served(lambda: rows, channels_of, Counters())
    served.begin(0.0)
    served._pinging.join()

    assert [0, 1, 2] == [row.index for row in rows if row.is_pinged]


def of_one_more_level(first, then):
    """Return what is counted of a plateau of *then* after one of *first*, and who was pinged in it."""
    rows = list(first)
    served = Served(lambda: rows, channels_of, Counters())
    held(rows, served=served)
    for row in rows:
        row.is_pinged = False
    rows[:] = then
    return held(rows, served=served), sum(row.is_pinged for row in rows)


def test_who_is_sent_updates_and_not_read_is_told_once_all_answered_before():
    read = [Row(n, brings=10) for n in range(5)]
    unread = [Row(n, brings=10, answers=False, born_s=2.0) for n in range(5, 9)]

    assert (
        {"followers": 9, "unserved": 0, "pinged": 9, "half_open": 4},
        9,
    ) == of_one_more_level(read, read + unread)


def test_a_target_that_answers_some_pings_only_from_the_first_is_judged_by_its_updates():
    some = [Row(n, brings=10, answers=n % 2 == 0) for n in range(10)]
    more = [*some, *(Row(n, brings=10, answers=False, born_s=2.0) for n in range(10, 14))]
    counted, pinged = of_one_more_level(some, more)

    assert (0, 0, 3) == (counted["pinged"], counted["half_open"], pinged)


def test_one_plateau_of_unread_connections_says_nothing_of_the_next():
    rows = [Row(n, brings=10) for n in range(5)]
    served = Served(lambda: rows, channels_of, Counters())
    held(rows, served=served)
    rows[4].answers = False
    for row in rows:
        row.is_pinged = False
    assert 1 == held(rows, served=served)["half_open"]

    del rows[4]

    assert 0 == held(rows, served=served)["pinged"]


@pytest.mark.parametrize(
    ("hold_s", "after_s", "per_s"), [(40.0, 20.0, 2.0), (0.2, 0.1, 200.0), (4000.0, 2000.0, 1.0)]
)
def test_pings_begin_in_the_middle_of_a_plateau_and_take_a_quarter_of_it(
    monkeypatch, hold_s, after_s, per_s
):
    slept, spread_per_s = [], []
    monkeypatch.setattr(module, "gevent", SimpleNamespace(sleep=slept.append, spawn=gevent.spawn))
    monkeypatch.setattr(module, "spread", lambda _ping, _slots, rate: spread_per_s.append(rate))
    served = Served(lambda: [Row(n) for n in range(20)], channels_of, Counters())
    served.begin(hold_s)
    served._pinging.join()

    assert [after_s / 2, after_s / 2] == slept
    assert [pytest.approx(per_s)] == spread_per_s


def test_what_was_counted_of_one_plateau_adds_to_that_of_another():
    rows = [Row(n, brings=10 * (n % 2)) for n in range(10)] + [Row(10, answers=False)]
    served, counters = Served(lambda: rows, channels_of, Counters()), Counters()
    for _ in range(2):
        served.begin(0.0)
        served._pinging.join()
        served.sum_up(counters)

    assert (22, 12, 2, 10) == (
        counters.followers,
        counters.pinged,
        counters.half_open,
        counters.unserved,
    )


@pytest.mark.parametrize(
    ("answers", "newcomers", "is_told"),
    [(True, False, True), (False, False, False), (None, False, False), (True, True, False)],
    ids=["full", "hung", "cannot be asked", "still coming"],
)
def test_who_answers_while_nobody_comes_in_a_ramp_is_told(monkeypatch, answers, newcomers, is_told):
    monkeypatch.setattr(module, "ASK_EVERY_S", 0.02)
    monkeypatch.setattr(module, "ANSWER_S", 0.01)
    rows, counters = [Row(n, answers=answers) for n in range(5)], Counters()

    def there():
        rows.extend([Row(len(rows))] * newcomers)
        return list(rows)

    served = Served(there, channels_of, counters)
    served.turn_to("ramp", 0.0)
    gevent.sleep(0.15)
    served.turn_to("settle", 0.0)

    assert is_told is (counters.answering > 0)
    assert sum(row.is_pinged for row in rows) == (0 if newcomers else 3)


def test_in_a_ramp_an_answer_may_take_a_second_and_it_is_asked_every_two_after_it(monkeypatch):
    now_s, seen = [0.0], []

    def sleep(pause_s):
        seen.append((now_s[0], counters.answering))
        now_s[0] += pause_s
        if now_s[0] >= 8.0:
            raise gevent.GreenletExit

    rows, counters = [Row(n) for n in range(5)], Counters()
    served = Served(lambda: rows, channels_of, counters)
    monkeypatch.setattr(module, "gevent", SimpleNamespace(sleep=sleep))
    with pytest.raises(gevent.GreenletExit):
        served._ask_while_nobody_comes()

    assert [(0.0, 0), (2.0, 0), (3.0, 3), (5.0, 3), (6.0, 6)] == seen
