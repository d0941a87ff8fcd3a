"""The rate and the burst of an acceptor, from a bucket that is simulated."""

import pytest

from capacity.models.operations.admission import _unbroken, _waited, admission


def let_in(count, *, per_s, burst, serves_per_s=5000.0, began_s=0.0):
    """Return the attempts of *count* clients that come at once to a full bucket."""
    attempts, served_s = [], began_s
    for n in range(count):
        due_s = began_s + max(0, n + 1 - burst) / per_s
        served_s = max(served_s + 1.0 / serves_per_s, due_s)
        attempts.append((began_s, served_s))
    return attempts


@pytest.mark.parametrize(("per_s", "burst"), [(50, 1), (50, 5), (100, 17), (200, 40)])
def test_a_bucket_is_found_with_its_rate_and_its_burst(per_s, burst):
    found_per_s, found_burst, seen = admission(let_in(180, per_s=per_s, burst=burst))

    assert found_per_s == pytest.approx(per_s, rel=0.02)
    assert burst == found_burst
    assert seen >= 10


def test_a_bucket_that_refuses_is_found_by_its_refusals():
    tries = [0.004 * n for n in range(500)]
    tokens, filled_s, let, refused = 17.0, 0.0, [], []
    for at in tries:
        tokens, filled_s = min(17.0, tokens + 100.0 * (at - filled_s)), at
        if tokens >= 1.0:
            tokens -= 1.0
            let.append((at, at))
        else:
            refused.append(at)
    per_s, burst, _seen = admission(let, refused)

    assert per_s == pytest.approx(100.0, rel=0.05)
    assert abs(burst - 17) <= 1


def test_who_waits_for_nobody_tells_nothing():
    lone = [(0.1 * n, 0.1 * n + 0.01) for n in range(50)]

    assert admission(lone) is None


def test_what_comes_in_one_go_has_no_rate():
    assert admission(let_in(100, per_s=1e6, burst=1, serves_per_s=1000.0)) is None
    assert admission(let_in(1000, per_s=1e6, burst=1, serves_per_s=1000.0)) is not None


def test_what_is_let_in_by_fits_and_starts_has_no_rate():
    batches = [(0.0, 0.5 * (n // 50)) for n in range(200)]

    assert admission(batches) is None


def test_a_rate_is_read_before_the_queue_ran_empty():
    early = let_in(60, per_s=100, burst=1)
    late = [(began, ended + 3.0) for began, ended in let_in(60, per_s=100, burst=1)]
    per_s, burst, _seen = admission([*early, *late])

    assert per_s == pytest.approx(100.0, rel=0.02)
    assert 1 == burst


def test_nobody_or_few_tell_nothing():
    assert admission([]) is None
    assert admission(let_in(8, per_s=10, burst=1)) is None


@pytest.mark.parametrize(("gap_s", "kept"), [(0.79, 40), (0.81, 20)])
def test_a_queue_has_run_empty_where_a_gap_is_eight_times_the_usual(gap_s, kept):
    moments = [0.1 * n for n in range(20)]
    moments += [moments[-1] + gap_s + 0.1 * n for n in range(20)]
    points = [(moment, float(n)) for n, moment in enumerate(moments)]

    assert kept == len(_unbroken(points, moments))


def one_by_one(count, every_s=0.1, burst=0):
    """Return the attempts of who all begin at 0 and are let in one after the other."""
    return [(0.0, max(1e-4 * n, (n - burst) * every_s)) for n in range(1, count + 1)]


def test_the_line_is_fitted_behind_the_first_third_of_the_time():
    """Of 50, the first 46 are let in while four others wait; from 1.415 s on, the 15th to the 46th."""
    assert admission(one_by_one(50)) == (pytest.approx(10.0), 1, 32)
    assert admission(one_by_one(50, burst=7)) == (pytest.approx(10.0), 7, 28)


@pytest.mark.parametrize(("count", "points"), [(17, None), (18, 10)])
def test_ten_points_of_a_line_are_needed(count, points):
    found = admission(one_by_one(count))

    assert (found and found[2]) == points


@pytest.mark.parametrize(("every_s", "is_found"), [(0.00805, False), (0.00808, True)])
def test_a_line_spans_a_quarter_of_a_second(every_s, is_found):
    """Thirty-one intervals of it."""
    assert is_found == (admission(one_by_one(50, every_s)) is not None)


def test_four_others_have_to_wait_when_one_is_let_in():
    together = [(0.0, float(n)) for n in range(1, 7)]

    assert _waited(together) == [(1.0, 1.0), (2.0, 2.0)]
    # Who begins at that very moment was not there yet.
    assert _waited([*together, (1.0, 7.0)]) == [(1.0, 1.0), (2.0, 2.0), (3.0, 3.0)]


@pytest.mark.parametrize(("refused", "points"), [(9, None), (10, 10)])
def test_ten_refusals_tell_between_which_two_numbers_the_line_runs(refused, points):
    """One is let in each second, and others are refused half a second later."""
    let = [(float(n), float(n)) for n in range(30)]
    refusals = [20.5 + n for n in range(refused - 1)] + [29.5]
    found = admission(let, refusals)

    assert (found and found[2]) == points
    assert found is None or found[:2] == (pytest.approx(1.0), 1)


@pytest.mark.parametrize(("batch", "is_a_line"), [(2, True), (4, False)])
def test_who_is_let_in_by_fours_has_no_rate(batch, is_a_line):
    """Twenty refusals see stairs: steps of the height h correlate by about √(1 − h² / 20²)."""
    let = [(float(n // batch * batch), float(n // batch * batch)) for n in range(40)]

    assert is_a_line == (admission(let, [10.5 + n for n in range(20)]) is not None)


def test_too_few_before_a_gap_leave_all_of_them():
    moments = [0.1 * n for n in range(9)] + [5.0 + 0.1 * n for n in range(11)]
    points = [(moment, float(n)) for n, moment in enumerate(moments)]

    assert _unbroken(points, moments) == points
    assert _unbroken(points[:9], moments) == points[:9]


@pytest.mark.parametrize("behind_s", [0.05, 0.98])
def test_a_refusal_stands_between_two_numbers(behind_s):
    """Ten at once and one each second: half a number above those let in, which meets 10 at rest."""
    let = [(0.0, 0.0)] * 10 + [(float(n), float(n)) for n in range(1, 31)]
    per_s, burst, _ = admission(let, [n + behind_s for n in range(10, 30)])

    assert (per_s, burst) == (pytest.approx(1.0), 10)


def test_the_burst_is_read_in_the_middle_of_the_first_attempt():
    """It took a second: n = 10 + 10·t, half a second of it."""
    let = [(0.0, max(1.0 + 1e-4 * n, 1.0 + 0.1 * (n - 20))) for n in range(1, 61)]

    assert admission(let)[:2] == (pytest.approx(10.0), 15)


def test_a_slow_rate_is_read_from_as_many_points():
    assert admission(one_by_one(50, every_s=2.0)) == (pytest.approx(0.5), 1, 32)


def test_the_usual_gap_is_that_of_the_later_half_where_a_burst_came_first():
    gaps_s = [0.001] * 12 + [0.1] * 7
    moments = [sum(gaps_s[:n]) for n in range(len(gaps_s) + 1)]
    points = [(moment, float(n)) for n, moment in enumerate(moments)]

    assert points == _unbroken(points, moments)


def test_who_came_first_need_not_be_let_in_first():
    """The numbers are those of who was let in, in that order."""
    ends = [0.1 * n for n in range(1, 51)]
    in_turn = [(0.0, end) for end in ends]
    reversed_turn = [(-0.001 * n, end) for n, end in enumerate(ends)]

    assert admission(in_turn)[:2] == admission(list(reversed(in_turn)))[:2]
    assert admission(reversed_turn)[0] == pytest.approx(10.0)


def test_ten_points_before_a_gap_are_enough():
    moments = [0.1 * n for n in range(10)] + [5.0 + 0.1 * n for n in range(11)]
    points = [(moment, float(n)) for n, moment in enumerate(moments)]

    assert _unbroken(points, moments) == points[:10]
    assert _unbroken(points[:10], moments) == points[:10]
