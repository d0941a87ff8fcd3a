from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from capacity.domain.resources import Resource
from capacity.models.wild_bootstrap import step_normals
from capacity.planning.costs.fitted_costs import (
    _charge_lingering,
    _peaks,
    _uses,
    fitted_costs,
)
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


@pytest.mark.parametrize("resource", [Resource.MEMORY, Resource.DESCRIPTORS])
def test_without_replicates_the_fit_is_the_same(venue, resource):
    record = venue.record()
    windows = plateau_windows(record.steps, record.samples, 0.0)
    mix, attributed = measured_mix(record.steps), attribution(windows)
    bare = fitted_costs(resource, windows, attributed, mix, np.empty((0, len(windows))))

    assert bare.marginal[-1] == pytest.approx(fit(resource, venue).marginal[-1])


def test_the_cost_of_a_handshake_is_found_where_steps_churn(venue, cost, safe):
    truth = cost(baseline=0.01, connection=1e-4, delivery=4e-5, request=5e-4, handshake=2e-3)
    steps = [
        replace(step, churn_per_s=0.02 * step.connections * (index // 2 % 2))
        for index, step in enumerate(safe(12.0, 8))
    ]
    found = fit(Resource.CPU, replace(planted_cost(venue, Resource.CPU, truth), steps=steps)).cost

    assert found.per_handshake_per_s.mid == pytest.approx(2e-3, rel=1e-3)
    assert found.per_connection.mid == pytest.approx(1e-4, rel=1e-3)


def test_what_is_left_is_the_root_of_the_mean_square_over_the_mean(venue, cost):
    truth = cost(baseline=0.01, connection=1e-4, delivery=4e-5, request=5e-4, noise=0.05)
    record = planted_cost(venue, Resource.CPU, truth).record()
    windows = plateau_windows(record.steps, record.samples, 0.0)
    found = fit(Resource.CPU, None, record).cost
    uses, lines = [], []
    for step in {window.step for window in windows}:
        inside = [window for window in windows if window.step == step]
        load = inside[0].load
        uses.append(np.mean([window.mean[Resource.CPU] for window in inside]))
        lines.append(
            found.baseline.mid
            + found.per_connection.mid * load.connections
            + found.per_delivery_per_s.mid * load.deliveries_per_s
            + found.per_request_per_s.mid * load.requests_per_s
        )

    assert found.residual_ratio == pytest.approx(
        np.sqrt(np.mean((np.array(uses) - lines) ** 2)) / np.mean(uses), rel=1e-6
    )
    assert (found.windows, found.separated[0]) == (len(windows), "connections")


def test_a_use_of_nothing_leaves_nothing(venue, cost):
    found = fit(Resource.CPU, planted_cost(venue, Resource.CPU, cost(baseline=0.0))).cost

    assert (found.residual_ratio, found.baseline.mid) == (0.0, 0.0)


def part_of(step, mean, error=0.0, peak=0.0):
    return SimpleNamespace(
        step=step, mean={Resource.CPU: mean}, error={Resource.CPU: error}, peak={Resource.CPU: peak}
    )


def test_a_flow_is_read_by_its_means_over_steps_and_what_is_held_by_windows():
    windows = [part_of(4, 1.0, 0.3), part_of(4, 2.0, 0.4), part_of(2, 7.0), part_of(4, 6.0)]
    rows, use, errors = _uses(Resource.CPU, windows, [0, 1, 2])

    assert (rows, use.tolist()) == ([2, 0], [7.0, 1.5])
    assert errors == pytest.approx([0.0, 0.25])
    held = [SimpleNamespace(step=1, mean={Resource.MEMORY: n}, error={}) for n in (1.0, 5.0)]
    assert [
        each.tolist() if n else each for n, each in enumerate(_uses(Resource.MEMORY, held, [0, 1]))
    ] == [
        [0, 1],
        [1.0, 5.0],
        [0.0, 0.0],
    ]


def test_peaks_stand_beside_the_middle_of_their_step():
    windows = [
        part_of(1, 1.0, peak=3.0),
        part_of(1, 2.0, peak=9.0),
        part_of(1, 9.0, peak=9.5),
        part_of(2, 5.0, peak=6.0),
    ]
    steady, peaks = _peaks(Resource.CPU, windows, [0, 1, 2, 3])

    assert (steady.tolist(), peaks.tolist()) == ([2.0, 2.0, 2.0, 5.0], [3.0, 9.0, 9.5, 6.0])


@pytest.mark.parametrize(
    ("components", "expected"),
    [
        (("connections", "requests_per_s"), [[9.0, 1.0, 3.0], [9.0, 1.0, 4.0]]),
        (("connections",), [[9.0, 2.5, 2.0], [9.0, 2.5, 4.0]]),
    ],
)
def test_entries_that_requests_leave_are_charged_to_them_or_to_who_brings_them(
    components, expected
):
    coefficients = np.array([[9.0, 1.0, 2.0], [9.0, 1.0, 4.0]])
    _charge_lingering(coefficients, components, 3.0, SimpleNamespace(requests_per_s=0.5))

    assert coefficients == pytest.approx(np.array(expected))


@pytest.mark.parametrize("resource", [Resource.MEMORY, Resource.DESCRIPTORS])
def test_the_forecast_is_the_last_of_the_replicates(venue, resource):
    found = fit(resource, venue)

    assert found.cost.baseline.mid == found.baseline[-1]
    assert found.cost.baseline.low <= found.cost.baseline.mid <= found.cost.baseline.high
    assert found.cost.marginal_along(measured_mix(venue.record().steps)) == pytest.approx(
        found.marginal[-1]
    )
