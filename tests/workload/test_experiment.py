"""The experiment tells planted costs apart; the same steps in a fixed mix do not."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.models.design_condition import SEPARABLE_BELOW
from capacity.models.unit_costs import robust_costs
from capacity.workload.experiment import LOWEST_RATIO, condition_of, safe_steps
from capacity.workload.profile import Mix, Pace, ramp_steps

MIX = Mix(subscriptions_per_connection=2, requests_per_s_per_connection=0.02, poll_interval_s=1.0)
PACE = Pace(connects_per_s=400, ramp_timeout_s=10, settle_s=2, plateau_s=8)

UPDATES_PER_S = 10.0
WINDOWS_PER_STEP = 2
NOISE = 0.03
PLANTED = np.array([0.02, 20e-6, 9e-6, 300e-6, 700e-6])
"""Cores: without load, of a connection, a delivery, a request and a handshake a second."""
SEEDS = range(25)


def experiment(**changes):
    asked = {"bound": 4000, "fraction": 0.25, "levels": 4, "mix": MIX, "pace": PACE}
    return safe_steps(**{**asked, **changes})


@settings(max_examples=60)
@given(st.integers(4, 100_000), st.floats(0.01, 0.25), st.integers(1, 12), st.integers(2, 8))
def test_it_never_exceeds_its_fraction_of_the_bound(bound, fraction, levels, steps_per_level):
    steps = experiment(
        bound=bound, fraction=fraction, levels=levels, steps_per_level=steps_per_level
    )

    assert max(step.connections + step.requests_per_s for step in steps) <= max(
        1.02, bound * fraction
    )


@pytest.mark.parametrize(("levels", "steps_per_level"), [(4, 2), (5, 4), (10, 2)])
def test_it_takes_the_steps_that_were_asked_for(levels, steps_per_level):
    steps = experiment(
        levels=levels, steps_per_level=steps_per_level, churn_per_s_per_connection=0.01
    )

    assert 1 + levels * steps_per_level == len(steps)


def test_connections_rise_geometrically_from_two_to_25_percent():
    levels = sorted({step.connections for step in experiment(bound=100_000, levels=5)})[1:]
    ratios = [higher / lower for lower, higher in pairwise(levels)]

    assert pytest.approx(LOWEST_RATIO, rel=0.01) == levels[0] / levels[-1]
    assert pytest.approx([ratios[0]] * 4, rel=0.01) == ratios


def test_it_begins_without_load_and_goes_up_to_the_full_mix_and_down_again():
    steps = experiment()
    counts = [step.connections for step in steps]
    top = counts.index(max(counts))

    assert 0 == counts[0]
    assert counts[:-1] == sorted(counts[:-1])
    assert counts[-1] in counts[1:top]
    assert steps[-2].is_mix
    assert (980, 2, 19.6) == (
        steps[-2].connections,
        steps[-2].subscriptions_per_connection,
        steps[-2].requests_per_s,
    )


def test_the_way_down_repeats_an_idle_step_of_the_way_up():
    steps = experiment()

    assert steps[-1] in steps[:-1]
    assert (0, 0.0) == (steps[-1].subscriptions_per_connection, steps[-1].requests_per_s)


def test_the_highest_level_has_idle_connections_too():
    steps = experiment()
    highest = [step for step in steps if step.connections == 980]

    assert any(step.subscriptions_per_connection == 0 for step in highest)


@pytest.mark.parametrize("levels", [2, 3, 4, 6])
def test_the_costs_can_be_told_apart(levels):
    assert condition_of(experiment(levels=levels)) < SEPARABLE_BELOW


def test_handshakes_can_be_told_apart_when_churn_is_tried():
    steps = experiment(churn_per_s_per_connection=0.01)

    assert {True, False} == {step.churn_per_s > 0 for step in steps}
    assert 0 == steps[-2].churn_per_s
    assert condition_of(steps) < SEPARABLE_BELOW / 2


def test_a_mix_with_churn_ends_in_it():
    churning = Mix(
        subscriptions_per_connection=2,
        requests_per_s_per_connection=0.0,
        poll_interval_s=1.0,
        churn_per_s_per_connection=0.01,
    )
    steps = experiment(mix=churning)

    assert {10.0} == {
        step.churn_per_s for step in steps if step.connections == 1000 and step.is_mix
    }


def test_a_fixed_mix_cannot_be_told_apart():
    assert condition_of(ramp_steps(levels=[100, 200, 400, 980], mix=MIX, pace=PACE)) > 1000


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


def test_unseen_mixes_are_predicted_within_ten_percent():
    steps = experiment(levels=5, steps_per_level=4, churn_per_s_per_connection=0.01)
    errors = median_errors(steps)

    assert max(errors.values()) <= 0.10


def test_a_ramp_in_a_fixed_mix_is_far_off_for_them():
    levels = [60, 120, 180, 250, 340, 440, 550, 660, 770, 980] * 2
    errors = median_errors(ramp_steps(levels=levels, mix=MIX, pace=PACE))

    assert errors["same mix, four times"] < 0.05
    assert errors["idle-heavy"] > 0.30
    assert errors["storm"] > 0.20
