import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.models.latency import laws
from capacity.models.latency.ceiling import connections_at_latency
from capacity.models.latency.laws import _FULL_RATIOS, LAWS, _load_at, _miss, better_law
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


def test_of_laws_that_miss_equally_the_first_is_told(monkeypatch):
    sharing = LAWS["processor sharing"]
    monkeypatch.setattr(laws, "LAWS", {"one": sharing, "the same": sharing})
    tails = [shared_time_s(load / FULL, 0.02) for load in LOADS]

    assert "one" == better_law(LOADS, tails, tails, 0.2).name


def test_too_few_levels_decide_nothing():
    assert better_law(LOADS[:6], [1.0] * 6, [1.0, 2.0, 4.0, 8.0, 16.0, 32.0], 64.0) is None


@pytest.mark.parametrize("servers", [2, 4, 8])
def test_a_queue_of_so_many_servers_is_found_as_that(servers):
    def truth(load):
        return 0.02 + approximate_wait_s(servers, load / FULL, 0.02)

    found = LAWS[f"a queue of {servers} servers"](LOADS, [truth(load) for load in LOADS])

    assert found(950.0) == pytest.approx(truth(950.0), rel=0.05)


@pytest.mark.parametrize(("levels", "first"), [(7, 4), (9, 4), (12, 4), (16, 8)])
def test_what_lines_miss_is_the_mean_over_the_last_eight_origins_from_four_levels_on(levels, first):
    loads = [50.0 * (n + 1) for n in range(levels)]
    full = 1.1 * loads[-1]
    tails = [shared_time_s(load / full, 0.02) for load in loads]
    medians = [0.4 * tail for tail in tails]
    found = better_law(loads, medians, tails, 0.3)
    misses = [
        math.log(connections_at_latency(loads[:n], medians[:n], tails[:n], tails[-1]) / loads[-1])
        for n in range(first, levels)
    ]

    assert found.error_of_lines == pytest.approx(np.mean(np.abs(misses)))
    assert found.error < 0.2 * found.error_of_lines


def test_servers_are_thought_to_be_busy_from_a_fiftieth_to_nearly_all_of_the_time():
    assert (len(_FULL_RATIOS), _FULL_RATIOS[0]) == (96, 50.0)
    assert 1.0 / _FULL_RATIOS[-1] == pytest.approx(0.97)


def test_a_load_is_looked_for_up_to_a_thousand_times_the_highest():
    assert _load_at(lambda load: 3.0 * load, 6.0, 1.0) == pytest.approx(2.0, rel=1e-13)
    assert _load_at(lambda _load: 0.0, 1.0, 10.0) == pytest.approx(10_000.0)
    assert _load_at(lambda load: float(load >= 0.5), 1.0, 10.0) == pytest.approx(0.5, rel=1e-11)


@pytest.mark.parametrize(
    ("forecast", "miss"),
    [(2.0, 2.0), (0.5, 2.0), (999.0, 999.0), (1e9, 1000.0), (0.0, 1000.0), (math.inf, 1000.0)],
)
def test_a_miss_is_a_factor_of_a_thousand_at_most(forecast, miss):
    assert _miss(10.0 * forecast, 10.0) == pytest.approx(math.log(miss))


def test_a_part_that_costs_nothing_takes_no_time_however_long_it_waits():
    flat = LAWS["fan-out"](LOADS, [0.5] * len(LOADS))

    assert flat(1e6) == pytest.approx(0.5)


def test_half_a_connection_waits_and_none_does_not():
    found = LAWS["the Universal Scalability Law"](LOADS, [0.01 + 1e-5 * load for load in LOADS])

    assert found(0.5) == pytest.approx(0.01, rel=0.05)
    assert found(0.0) == 0.0
