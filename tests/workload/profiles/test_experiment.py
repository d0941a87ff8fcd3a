"""The steps of a climb tell planted costs apart; the same levels in a fixed mix do not."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.models.design import SEPARABLE_BELOW, condition_number
from capacity.models.unit_costs import robust_costs
from capacity.workload.profiles.experiment import Experiment, Factors, possible_mix
from capacity.workload.profiles.profile import Mix, Pace, ramp_steps

MIX = Mix(subscriptions_per_connection=2, requests_per_s_per_connection=0.02, poll_interval_s=1.0)
PACE = Pace(connects_per_s=400, ramp_timeout_s=10, settle_s=2, plateau_s=8)
LEVELS = (20, 60, 180, 540, 980)

UPDATES_PER_S = 10.0
WINDOWS_PER_STEP = 2
NOISE = 0.03
PLANTED = np.array([0.02, 20e-6, 9e-6, 300e-6, 700e-6])
"""Cores: without load, of a connection, a delivery, a request and a handshake a second."""
SEEDS = range(25)


def climb(levels=LEVELS, *, mix=MIX, can_idle=True, can_poll=True, churn=0.0, steps_per_level=2):
    experiment = Experiment(
        mix=mix,
        pace=PACE,
        factors=Factors(can_idle=can_idle, can_poll=can_poll, churn_per_s_per_connection=churn),
        steps_per_level=steps_per_level,
    )
    steps = [experiment.baseline()]
    for level in levels:
        steps += experiment.level(level, steps)
    return [*steps, *experiment.way_down(steps)]


def condition_of(steps):
    rows = loads(steps)[:, 1:]
    return condition_number(
        np.hstack([np.ones((len(rows), 1)), rows[:, np.ptp(rows, axis=0) > 0.0]])
    )


def loads(steps):
    return np.array(
        [
            [
                1.0,
                step.connections,
                step.connections * step.subscriptions_per_connection * UPDATES_PER_S,
                step.requests_per_s,
                step.churn_per_s,
            ]
            for step in steps
            for _window in range(WINDOWS_PER_STEP)
        ]
    )


@settings(max_examples=40)
@given(
    st.lists(st.integers(1, 50_000), min_size=1, max_size=8, unique=True).map(sorted),
    st.integers(1, 8),
    st.booleans(),
    st.booleans(),
)
def test_every_level_has_the_full_mix_last_and_no_step_twice(levels, count, can_idle, can_poll):
    steps = climb(levels, can_idle=can_idle, can_poll=can_poll, steps_per_level=count)

    for level in levels:
        here = [step for step in steps if step.connections == level]
        up = here[:-1] if steps[-1] in here[:-1] else here
        assert up[-1].is_mix
        assert len(set(up)) == len(up) <= max(1, count)


def test_it_begins_without_load():
    assert (0, False) == (climb()[0].connections, climb()[0].is_mix)


def test_the_way_down_repeats_an_idle_step_below_the_top():
    steps = climb()

    assert steps[-1] in steps[:-1]
    assert steps[-1].connections < steps[-2].connections
    assert (0, 0.0) == (steps[-1].subscriptions_per_connection, steps[-1].requests_per_s)


@pytest.mark.parametrize(("levels", "has_way_down"), [((20, 60), False), ((20, 60, 180), True)])
def test_two_levels_need_all_their_steps(levels, has_way_down):
    steps = climb(levels, can_poll=False, mix=possible_mix(MIX, can_poll=False))

    assert has_way_down == (steps[-1].connections < max(levels))


@pytest.mark.parametrize("count", [2, 3, 4, 5])
def test_the_costs_can_be_told_apart_from_the_second_level_on(count):
    assert condition_of(climb(LEVELS[:count])) < SEPARABLE_BELOW


def test_no_polls_are_offered_to_a_target_without_any():
    steps = climb(mix=possible_mix(MIX, can_poll=False), can_poll=False)

    assert {0.0} == {step.requests_per_s for step in steps}
    assert [2] * 5 == [step.subscriptions_per_connection for step in steps if step.is_mix]


def test_no_connection_is_left_idle_where_a_dialect_has_no_way_to_be():
    steps = climb(can_idle=False)

    assert {2} == {step.subscriptions_per_connection for step in steps if step.connections}


def test_a_target_of_which_nothing_can_be_varied_gets_one_step_a_level():
    steps = climb(mix=possible_mix(MIX, can_poll=False), can_poll=False, can_idle=False)

    assert [0, *LEVELS] == [step.connections for step in steps]


def test_handshakes_can_be_told_apart_when_churn_is_tried():
    steps = climb(churn=0.01, steps_per_level=4)

    assert {True, False} == {step.churn_per_s > 0 for step in steps}
    assert {0.0} == {step.churn_per_s for step in steps if step.is_mix}
    assert condition_of(steps) < SEPARABLE_BELOW / 2


def test_a_mix_with_churn_ends_in_it():
    churning = Mix(
        subscriptions_per_connection=2,
        requests_per_s_per_connection=0.0,
        poll_interval_s=1.0,
        churn_per_s_per_connection=0.01,
    )
    steps = climb(mix=churning, can_poll=False)

    assert {9.8} == {step.churn_per_s for step in steps if step.connections == 980 and step.is_mix}


def test_a_fixed_mix_cannot_be_told_apart():
    assert condition_of(ramp_steps(levels=[100, 200, 400, 980], mix=MIX, pace=PACE)) > 1000


UNSEEN = {
    "same mix, four times": np.array([1, 3920, 78_400, 78.4, 0.0]),
    "idle-heavy": np.array([1, 20_000, 20_000, 20.0, 0.0]),
    "storm": np.array([1, 980, 19_600, 19.6, 150.0]),
}


def median_errors(steps):
    design = loads(steps)
    found = {name: [] for name in UNSEEN}
    for seed in SEEDS:
        noise = 1.0 + NOISE * np.random.default_rng(seed).standard_normal(len(design))
        costs = robust_costs(design, design @ PLANTED * noise).coefficients
        for name, load in UNSEEN.items():
            found[name].append(abs(load @ costs / (load @ PLANTED) - 1.0))
    return {name: float(np.median(errors)) for name, errors in found.items()}


def test_unseen_mixes_are_predicted_within_fifteen_percent():
    errors = median_errors(climb(churn=0.01, steps_per_level=4))

    assert max(errors.values()) <= 0.15


def test_a_ramp_in_a_fixed_mix_is_far_off_for_them():
    levels = [60, 120, 180, 250, 340, 440, 550, 660, 770, 980] * 2
    errors = median_errors(ramp_steps(levels=levels, mix=MIX, pace=PACE))

    assert errors["same mix, four times"] < 0.05
    assert errors["idle-heavy"] > 0.30
    assert errors["storm"] > 0.20


def test_what_a_level_brings_along_goes_by_the_connections_that_whole_users_open():
    experiment = Experiment(
        mix=MIX,
        pace=replace(PACE, connections_per_user=50),
        factors=Factors(can_idle=True, can_poll=True, churn_per_s_per_connection=0.1),
        steps_per_level=8,
    )
    steps = experiment.level(20, [experiment.baseline()])

    assert {20} == {step.connections for step in steps}
    assert [0.0, 5.0] == sorted({step.churn_per_s for step in steps})
    assert [0.0, 1.0] == sorted({step.requests_per_s for step in steps})
