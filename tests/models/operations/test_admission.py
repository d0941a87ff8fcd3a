"""The rate and the burst of an acceptor, from a bucket that is simulated."""

import pytest

from capacity.models.operations.admission import FEWEST_POINTS, _unbroken, admission


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
    assert seen >= FEWEST_POINTS


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
