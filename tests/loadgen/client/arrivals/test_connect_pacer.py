import itertools
import random
import statistics

import pytest

from capacity.loadgen.client.arrivals.connect_pacer import ConnectPacer

NOW_S = 1000.0


@pytest.fixture
def through_s():
    """Return when that many greenlets go through that come at once."""

    def after_a_burst(pacer, count):
        slept_s = []
        pacer._sleep = slept_s.append
        for _ in range(count):
            pacer.wait()
        return [NOW_S + seconds for seconds in slept_s]

    return after_a_burst


def pacer_of(arrivals, per_s):
    pacer = ConnectPacer(arrivals, lambda: NOW_S)
    pacer.per_s = per_s
    return pacer


def gaps_between(moments_s):
    return [after - before for before, after in itertools.pairwise(moments_s)]


def test_a_burst_of_arrivals_is_spread_evenly(through_s):
    gaps = gaps_between(through_s(pacer_of("even", 100.0), 20))

    assert pytest.approx([0.01] * 19) == gaps


def test_a_burst_of_arrivals_becomes_a_poisson_process(through_s):
    random.seed(11)
    gaps = gaps_between(through_s(pacer_of("poisson", 200.0), 2000))
    mean_s = statistics.mean(gaps)

    # Five standard errors of 2,000 exponential gaps: of their mean, and of their deviation.
    assert pytest.approx(1.0, abs=5 / 2000**0.5) == mean_s * 200
    assert pytest.approx(1.0, abs=5 * (2 / 2000) ** 0.5) == statistics.pstdev(gaps) / mean_s


def test_who_comes_after_a_pause_goes_through_at_once(through_s):
    pacer = pacer_of("even", 0.001)
    pacer._next_s = NOW_S - 1

    assert [NOW_S] == through_s(pacer, 1)


def test_nobody_passes_while_it_is_held(through_s):
    pacer = pacer_of("even", 100.0)
    pacer.hold(0.2)

    assert pytest.approx([NOW_S + 0.2, NOW_S + 0.21]) == through_s(pacer, 2)


def test_arrivals_that_come_together_come_once_a_second(through_s):
    gaps = gaps_between(through_s(pacer_of("together", 40.0), 60))

    assert {0.0, 1.0} == set(gaps)
    assert 1 == gaps.count(1.0)


def test_by_the_clock_who_has_to_wait_sleeps():
    slept_s = []
    pacer = ConnectPacer("even", sleep=slept_s.append)
    pacer.hold(60.0)
    pacer.wait()

    assert 0 < slept_s[0] <= 60.0


def test_an_upgrade_that_is_taken_back_is_no_success():
    pacer = ConnectPacer("even", is_careful=True)
    pacer.turn_to(0, 100.0, 20)
    for _ in range(10):
        pacer.opened(pacer.began())
        pacer.taken_back("handshake_closed_1013")

    assert pacer.has_given_up
    assert {"handshake_closed_1013": 10} == pacer.failures


def test_a_step_that_is_slowed_down_goes_on_at_a_share_of_its_own_pace():
    pacer = ConnectPacer("even", is_careful=True)
    pacer.turn_to(0, 400.0, 20)
    before = pacer._rate.per_s
    pacer.turn_to(0, 100.0, 20)

    assert before / 4 == pacer._rate.per_s


def test_a_careful_pacer_has_as_many_attempts_under_way_as_its_rate_allows():
    looked = []

    def sleep(seconds):
        if seconds == 0.01:
            looked.append(seconds)
            pacer.left()

    pacer = ConnectPacer("even", lambda: NOW_S, sleep, is_careful=True)
    pacer.turn_to(0, 1e6, None)
    allowed = pacer._rate.in_flight
    for _ in range(allowed):
        pacer.wait()
        pacer.began()
    assert [] == looked

    pacer.wait()
    assert [0.01] == looked


def test_who_comes_back_for_a_connection_that_came_of_age_goes_through_at_once(through_s):
    pacer = pacer_of("even", 0.001)
    pacer.hold(60.0)
    pacer.owe()
    pacer.owe()

    assert [] == through_s(pacer, 2)
    assert [NOW_S + 60.0] == through_s(pacer, 1)


def test_before_the_first_step_a_hundred_a_second_go_through(through_s):
    gaps = gaps_between(through_s(ConnectPacer("even", lambda: NOW_S), 3))

    assert pytest.approx([0.01, 0.01]) == gaps


def test_a_shorter_hold_does_not_end_a_longer_one(through_s):
    pacer = pacer_of("even", 100.0)
    pacer.hold(60.0)
    pacer.hold(1.0)

    assert [NOW_S + 60.0] == through_s(pacer, 1)


@pytest.mark.parametrize(("most", "enough"), [(20, 10), (5, 5), (None, 1000)])
def test_it_gives_up_after_ten_failures_in_a_row_or_fewer_where_fewer_are_allowed(most, enough):
    pacer = ConnectPacer("even", lambda: NOW_S)
    pacer.turn_to(0, 100.0, most)
    for _ in range(enough - 1):
        pacer.failed(pacer.began(), "refused")
    before = pacer.has_given_up
    pacer.failed(pacer.began(), "refused")

    assert (False, most is not None) == (before, pacer.has_given_up)


def test_failures_among_successes_count_together_and_not_as_a_row():
    pacer = ConnectPacer("even", lambda: NOW_S)
    pacer.turn_to(0, 100.0, 12)
    told = []
    for _ in range(12):
        pacer.failed(pacer.began(), "refused")
        pacer.opened(pacer.began())
        told.append(pacer.has_given_up)

    assert [*[False] * 11, True] == told
    assert {"refused": 12} == pacer.failures


@pytest.mark.parametrize(("step", "is_new"), [(3, False), (-1, False), (4, True), (0, True)])
def test_a_new_step_begins_without_failures(step, is_new):
    pacer = ConnectPacer("even", lambda: NOW_S)
    pacer.turn_to(3, 100.0, 1)
    pacer.note_failure("refused")
    pacer.turn_to(step, 100.0, 1)

    assert (not is_new, {} if is_new else {"refused": 1}) == (pacer.has_given_up, pacer.failures)


def test_a_row_of_failures_ends_with_its_step():
    pacer = ConnectPacer("even", lambda: NOW_S)
    for step in (0, 1):
        pacer.turn_to(step, 100.0, 20)
        for _ in range(9):
            pacer.note_failure("refused")

    assert not pacer.has_given_up


def test_an_attempt_is_under_way_until_it_ends_in_any_of_its_ways():
    pacer = ConnectPacer("even", lambda: NOW_S)
    under_way = [pacer.under_way]
    began_s = [pacer.began() for _ in range(3)]
    under_way.append(pacer.under_way)
    for end in (
        lambda: pacer.opened(began_s[0]),
        lambda: pacer.failed(began_s[1], "x"),
        pacer.left,
    ):
        end()
        under_way.append(pacer.under_way)

    assert [0, 3, 2, 1, 0] == under_way
    assert [NOW_S] * 3 == began_s


@pytest.mark.parametrize(("later_s", "is_success"), [(0.9, False), (1.0, False), (1.1, True)])
def test_for_a_second_after_one_was_taken_back_an_upgrade_is_no_success(later_s, is_success):
    now_s = [NOW_S]
    pacer = ConnectPacer("even", lambda: now_s[0])
    pacer.turn_to(0, 100.0, 20)
    pacer.taken_back("closed")
    now_s[0] += later_s
    pacer.opened(pacer.began())
    for _ in range(9):
        pacer.note_failure("refused")

    assert is_success is not pacer.has_given_up


@pytest.mark.parametrize(("step", "per_s"), [(1, 100.0), (0, 400.0)])
def test_a_pace_is_not_eased_by_a_new_step_or_by_the_same_pace(step, per_s):
    pacer = ConnectPacer("even", is_careful=True)
    pacer.turn_to(0, 400.0, 20)
    before = pacer._rate.per_s
    pacer.turn_to(step, per_s, 20)

    assert min(before, per_s) == pacer._rate.per_s


def test_each_failure_of_an_attempt_that_began_after_the_one_before_halves_the_pace():
    moments = iter([1000.0, 1001.0, 1001.5, 1002.5])
    pacer = ConnectPacer("even", lambda: next(moments), is_careful=True)
    pacer.turn_to(0, 100.0, None)
    rates = [pacer._rate.per_s]
    for _ in range(2):
        pacer.failed(pacer.began(), "connect_refused")
        rates.append(pacer._rate.per_s)

    assert [10.0, 5.0, 2.5] == rates


def test_an_attempt_that_succeeds_fast_makes_the_pace_faster():
    moments = iter([1000.0, 1000.01, 1000.01])
    pacer = ConnectPacer("even", lambda: next(moments), is_careful=True)
    pacer.turn_to(0, 100.0, None)
    pacer.opened(pacer.began())

    assert 10.7 == pacer._rate.per_s


def test_who_is_taken_back_had_been_let_in_at_once():
    now_s = [1000.0]
    pacer = ConnectPacer("even", lambda: now_s[0], is_careful=True)
    pacer.turn_to(0, 100.0, None)
    pacer.taken_back("handshake_closed_1013")
    now_s[0] += 0.5
    pacer.failed(pacer.began(), "connect_refused")

    assert 2.5 == pacer._rate.per_s
