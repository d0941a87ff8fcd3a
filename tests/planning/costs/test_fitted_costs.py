from dataclasses import replace

import numpy as np
import pytest

from capacity.domain.resources import Resource
from capacity.models.wild_bootstrap import step_normals
from capacity.planning.costs.fitted_costs import fitted_costs
from capacity.planning.evidence.load_components import attribution
from capacity.planning.evidence.mix import measured_mix
from capacity.planning.evidence.windows import plateau_windows


def fit(resource, planted, record=None):
    record = record or planted.record()
    windows = plateau_windows(record.steps, record.samples, 0.0)
    normals = step_normals([w.step for w in windows], np.random.default_rng(1))
    return fitted_costs(
        resource, windows, attribution(windows), measured_mix(record.steps), normals
    )


def planted_cost(venue, resource, truth):
    return replace(venue, costs={resource: truth})


def test_all_three_costs_of_the_processor_are_found(venue, cost):
    truth = cost(baseline=0.01, connection=1e-4, delivery=4e-5, request=5e-4)
    found = fit(Resource.CPU, planted_cost(venue, Resource.CPU, truth)).cost

    assert found.baseline.mid == pytest.approx(0.01, rel=1e-4)
    assert found.per_connection.mid == pytest.approx(1e-4, rel=1e-4)
    assert found.per_delivery_per_s.mid == pytest.approx(4e-5, rel=1e-4)
    assert found.per_request_per_s.mid == pytest.approx(5e-4, rel=1e-2)
    assert found.residual_ratio < 1e-6


def test_intervals_cover_the_planted_cost_as_often_as_they_say(venue, cost):
    truth = cost(baseline=0.01, connection=1e-4, delivery=4e-5, noise=0.03)
    marginal = 1e-4 + 10 * 4e-5
    covered = 0
    for seed in range(60):
        found = fit(Resource.CPU, replace(planted_cost(venue, Resource.CPU, truth), seed=seed))
        low, high = np.quantile(found.marginal[:-1], [0.05, 0.95])
        covered += low <= marginal <= high

    assert 0.8 <= covered / 60 <= 1.0


@pytest.mark.parametrize("step_noise", [0.05, 0.10])
def test_intervals_cover_what_a_whole_step_is_off(venue, cost, safe, step_noise):
    truth = cost(baseline=0.02, connection=1e-4, delivery=8e-5, noise=0.03, step_noise=step_noise)
    marginal = 1e-4 + 10 * 8e-5
    covered = 0
    for seed in range(80):
        planted = replace(planted_cost(venue, Resource.CPU, truth), steps=safe(12.0, 5), seed=seed)
        low, high = np.quantile(fit(Resource.CPU, planted).marginal[:-1], [0.05, 0.95])
        covered += low <= marginal <= high

    assert covered / 80 >= 0.84


@pytest.mark.parametrize("slope", [0.25, 0.5, 1.0, 2.0])
def test_a_counted_cost_meets_its_fraction(venue, cost, slope):
    truth = cost(baseline=21, connection=slope, request=1.0)
    found = fit(Resource.DESCRIPTORS, planted_cost(venue, Resource.DESCRIPTORS, truth)).cost

    assert found.snapped
    assert found.per_connection.mid == slope
    assert found.baseline.mid == pytest.approx(21, abs=0.6)


def test_a_leak_of_a_twentieth_of_a_descriptor_stays_visible(venue, cost):
    truth = cost(baseline=21, connection=1.05)
    found = fit(Resource.DESCRIPTORS, planted_cost(venue, Resource.DESCRIPTORS, truth)).cost

    assert not found.snapped
    assert found.per_connection.mid == pytest.approx(1.05, rel=0.01)


def test_pollers_hide_in_the_slope_of_a_ramp_so_it_is_not_snapped(venue, cost, ramp):
    keeping_few_alive = replace(
        planted_cost(venue, Resource.DESCRIPTORS, cost(baseline=21, connection=1, request=0.2)),
        steps=ramp(250, 500, 750, 1000),
    )
    found = fit(Resource.DESCRIPTORS, keeping_few_alive)

    assert not found.cost.snapped
    assert found.marginal[-1] == pytest.approx(1.004, abs=5e-4)


def test_four_windows_still_cover_the_planted_cost_in_most_runs(venue, cost, ramp):
    truth = cost(baseline=0.01, connection=1e-3, noise=0.03)
    brief = [replace(step, plateau_s=4.0) for step in ramp(50, 120, 250)]
    covered = 0
    for seed in range(60):
        found = fit(
            Resource.CPU, replace(planted_cost(venue, Resource.CPU, truth), steps=brief, seed=seed)
        )
        low, high = np.quantile(found.marginal[:-1], [0.05, 0.95])
        covered += low <= 1e-3 <= high

    assert covered / 60 >= 0.8


def test_memory_keeps_its_slope_and_gets_the_bursts_as_a_reserve(venue, cost):
    bursty = cost(baseline=60e6, connection=60e3, noise=0.001, spike=8e6)
    found = fit(Resource.MEMORY, planted_cost(venue, Resource.MEMORY, bursty))

    assert found.baseline[-1] == pytest.approx(68e6, rel=0.02)
    assert found.marginal[-1] == pytest.approx(60e3, rel=0.05)


@pytest.mark.parametrize(
    ("truth", "bias", "reach"),
    [
        ({"noise": 0.03}, 0.005, 0.03),
        ({"collection": 1.5, "collected_share": 1 / 12}, 0.03, 0.25),
        ({"collection": 0.6, "collected_share": 1 / 8}, 0.02, 0.15),
    ],
)
def test_the_targets_own_collections_are_part_of_its_processor_time(
    venue, cost, safe, truth, bias, reach
):
    planted = replace(
        planted_cost(venue, Resource.CPU, cost(baseline=0.02, connection=9e-4, **truth)),
        steps=safe(12.0, 5),
    )
    errors = [forecast_error(replace(planted, seed=seed)) for seed in range(40)]

    assert abs(np.median(errors)) < bias
    assert np.quantile(np.abs(errors), 0.9) < reach


@pytest.mark.parametrize("disturbed", [5, 10])
def test_one_step_that_a_neighbour_disturbed_moves_the_forecast_little(
    venue, cost, safe, disturbed
):
    truth = cost(baseline=0.02, connection=9e-4, noise=0.03)
    steps = safe(12.0, 5)
    errors = []
    for seed in range(20):
        planted = replace(planted_cost(venue, Resource.CPU, truth), steps=steps, seed=seed)
        record = planted.record()
        begin = record.steps[disturbed].plateau_started_at
        end = record.steps[disturbed].plateau_ended_at
        samples = tuple(
            replace(sample, used={Resource.CPU: 1.4 * sample.used[Resource.CPU]})
            if begin <= sample.at <= end
            else sample
            for sample in record.samples
        )
        errors.append(forecast_error(planted, replace(record, samples=samples)))

    assert abs(np.median(errors)) < 0.02


def forecast_error(planted, record=None):
    """Return how far the ceiling of the processor at a limit of 1 core is off, as a share."""
    found = fit(Resource.CPU, planted, record)
    truth = planted.costs[Resource.CPU].ceiling(1.0)
    return (1.0 - found.baseline[-1]) / found.marginal[-1] / truth - 1.0


def test_a_cost_that_is_not_separated_has_no_confidence(venue, ramp):
    found = fit(Resource.MEMORY, replace(venue, steps=ramp(50, 100, 150, 250))).cost

    assert found.separated == ("connections",)
    assert found.per_delivery_per_s.confidence == 0.0
    assert found.per_connection.mid == pytest.approx(60e3 + 10 * 500, rel=0.02)


def test_without_replicates_the_fit_is_the_same(venue):
    record = venue.record()
    windows = plateau_windows(record.steps, record.samples, 0.0)
    mix, attributed = measured_mix(record.steps), attribution(windows)
    bare = fitted_costs(Resource.MEMORY, windows, attributed, mix, np.empty((0, len(windows))))

    assert bare.marginal[-1] == pytest.approx(fit(Resource.MEMORY, venue).marginal[-1])


def test_the_cost_of_a_handshake_is_found_where_steps_churn(venue, cost, safe):
    truth = cost(baseline=0.01, connection=1e-4, delivery=4e-5, request=5e-4, handshake=2e-3)
    steps = [
        replace(step, churn_per_s=0.02 * step.connections * (index // 2 % 2))
        for index, step in enumerate(safe(12.0, 8))
    ]
    found = fit(Resource.CPU, replace(planted_cost(venue, Resource.CPU, truth), steps=steps)).cost

    assert found.per_handshake_per_s.mid == pytest.approx(2e-3, rel=1e-3)
    assert found.per_connection.mid == pytest.approx(1e-4, rel=1e-3)


def test_memory_that_stays_when_connections_leave_does_not_flatten_their_cost(venue, cost, safe):
    truth = cost(baseline=40e6, connection=16e3)
    steps = [*safe(12.0, 4), replace(safe(12.0, 4)[2], subscriptions_per_connection=0)]
    record = replace(planted_cost(venue, Resource.MEMORY, truth), steps=steps).record()
    windows = plateau_windows(record.steps, record.samples, 0.0)
    last = max(window.step for window in windows)
    departed = max(w.asked_connections for w in windows)
    stayed = [
        replace(
            w,
            mean={
                Resource.MEMORY: w.mean[Resource.MEMORY] + 14e3 * (departed - w.asked_connections)
            },
        )
        if w.step == last
        else w
        for w in windows
    ]
    found = fitted_costs(
        Resource.MEMORY,
        stayed,
        attribution(stayed),
        measured_mix(record.steps),
        np.empty((0, len(stayed))),
    ).cost

    assert found.baseline.mid == pytest.approx(40e6, rel=1e-3)
    assert found.per_connection.mid == pytest.approx(16e3, rel=1e-3)


def fit_of_memory(venue, cost, steps, added, seed=1):
    """Return the fit of 26,000 bytes a connection with what *added* adds at a count of them."""
    truth = cost(baseline=45e6, connection=26e3, noise=0.0004)
    record = replace(planted_cost(venue, Resource.MEMORY, truth), steps=steps, seed=seed).record()
    windows = plateau_windows(record.steps, record.samples, 0.0)
    raised = [
        replace(
            w,
            mean={Resource.MEMORY: w.mean[Resource.MEMORY] + added(w.asked_connections)},
            peak={Resource.MEMORY: w.peak[Resource.MEMORY] + added(w.asked_connections)},
        )
        for w in windows
    ]
    normals = step_normals([w.step for w in raised], np.random.default_rng(1))
    return fitted_costs(
        Resource.MEMORY, raised, attribution(raised), measured_mix(record.steps), normals
    )


@pytest.mark.parametrize("levels", [(8, 16, 24, 32), (15, 30, 45, 60)])
def test_what_a_fresh_process_allocates_at_first_is_not_charged_to_connections(
    venue, cost, ramp, levels
):
    steps = ramp(0, *levels)
    covered = 0
    for seed in range(20):
        fresh = fit_of_memory(venue, cost, steps, lambda n: 5e6 * (n > 0), seed)
        low, high = np.quantile(fresh.marginal[:-1], [0.05, 0.95])
        covered += low <= 26e3 <= high

        assert fresh.marginal[-1] == pytest.approx(26e3, rel=0.25)
        assert fresh.baseline[-1] == pytest.approx(50e6, rel=0.01)

    assert covered >= 15


def test_a_jump_between_two_loads_may_be_the_first_of_a_staircase(venue, cost, ramp):
    steps = ramp(0, 50, 100, 150, 200, 250, 300)
    found = fit_of_memory(venue, cost, steps, lambda n: 4e6 * (n // 180))
    dearest = np.quantile(found.marginal[:-1], 0.95)

    assert found.marginal[-1] == pytest.approx(26e3, rel=0.1)
    assert np.median(found.marginal[:-1]) == pytest.approx(26e3, rel=0.1)
    assert dearest == pytest.approx(26e3 + 4e6 / 175, rel=0.1)


def test_growth_without_a_jump_is_no_staircase(venue, cost, ramp):
    found = fit_of_memory(venue, cost, ramp(0, 50, 100, 150, 200, 250, 300), lambda _: 0.0)

    assert np.quantile(found.marginal[:-1], 0.95) < 1.1 * 26e3
