import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.models.latency.laws import LAWS, better_law
from capacity.models.queueing import approximate_wait_s, shared_time_s

LOADS = [float(load) for load in range(100, 900, 80)]
FULL = 1000.0


def noisy(values, ratio=0.01, seed=1):
    random = np.random.default_rng(seed)
    return [value * (1.0 + ratio * random.standard_normal()) for value in values]


@pytest.mark.parametrize(
    ("name", "truth"),
    [
        ("processor sharing", lambda load: shared_time_s(load / FULL, 0.02)),
        (
            "a queue of 4 servers",
            lambda load: 0.02 + approximate_wait_s(4, load / FULL, 0.02),
        ),
        ("the Universal Scalability Law", lambda load: 0.01 + 1e-5 * load + 1e-7 * load**2),
        (
            "fan-out",
            lambda load: 1e-3 + 2e-5 * load * (0.95 + load / FULL / 2 / (1 - load / FULL)),
        ),
    ],
)
def test_each_law_finds_the_latency_it_describes(name, truth):
    found = LAWS[name](LOADS, [truth(load) for load in LOADS])

    assert [found(load) for load in (300.0, 850.0, 900.0)] == pytest.approx(
        [truth(load) for load in (300.0, 850.0, 900.0)], rel=0.1
    )


@pytest.mark.parametrize("seed", range(5))
def test_a_queue_that_fills_up_beats_the_lines_and_tells_where(seed):
    tails = noisy([shared_time_s(load / FULL, 0.02) for load in LOADS], seed=seed)
    found = better_law(LOADS, tails, tails, 0.2)

    assert found.error < found.error_of_lines
    assert found.connections == pytest.approx(900.0, rel=0.05)


@pytest.mark.parametrize("seed", range(5))
def test_a_straight_line_is_seldom_beaten(seed):
    tails = noisy([0.002 + 1e-4 * load for load in LOADS], ratio=0.05, seed=seed)
    found = better_law(LOADS, tails, tails, 0.5)

    assert found is None or found.error > 0.5 * found.error_of_lines


@settings(max_examples=30)
@given(st.lists(st.floats(1e-6, 1e3), min_size=1, max_size=10))
def test_any_latencies_are_compared_without_trouble(tails):
    found = better_law(LOADS[: len(tails)], tails, tails, 0.5)

    assert found is None or found.connections > 0.0


def test_too_few_levels_decide_nothing():
    assert better_law(LOADS[:6], [1.0] * 6, [1.0, 2.0, 4.0, 8.0, 16.0, 32.0], 64.0) is None
