"""Memory that stays, that came at first, and that comes in jumps."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from capacity.domain.resources import Resource
from capacity.models.wild_bootstrap import step_normals
from capacity.planning.costs.fitted_costs import (
    _rows,
    cost_rows,
    fitted_costs,
    use_design,
)
from capacity.planning.evidence.load_components import attribution
from capacity.planning.evidence.mix import measured_mix
from capacity.planning.evidence.windows import plateau_windows


def planted_cost(venue, resource, truth):
    return replace(venue, costs={resource: truth})


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
        # It comes once, whatever comes later.
        assert np.quantile(fresh.marginal[:-1], 0.9) < 1e5
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


def test_a_quarter_of_the_draws_takes_a_jump_as_one_of_many_and_the_forecast_does_not(
    venue, cost, ramp
):
    found = fit_of_memory(
        venue, cost, ramp(0, 50, 100, 150, 200, 250, 300), lambda n: 4e6 * (n // 180)
    )
    is_dear = found.marginal > 26e3 + 4e6 / 175 / 2

    assert np.mean(is_dear[:-1]) == pytest.approx(0.25, abs=0.01)
    assert not is_dear[-1]
    # What is charged to the connections is not in the baseline as well.
    assert np.median(found.baseline[:-1][is_dear[:-1]]) == pytest.approx(45e6, rel=0.01)
    assert found.baseline[-1] == pytest.approx(49e6, rel=0.01)


def test_what_was_held_on_takes_no_part_in_the_line_of_memory_and_a_kink_none_in_counts():
    def read(resource, use, connections, *, is_held_longer=False):
        return SimpleNamespace(
            mean={resource: use},
            asked_connections=connections,
            load=SimpleNamespace(connections=float(connections)),
            is_held_longer=is_held_longer,
        )

    for resource, rows in (
        (Resource.MEMORY, [0, 1, 2]),
        (Resource.CPU, [0, 1, 2, 3]),
        (Resource.DESCRIPTORS, [1, 2, 3]),
    ):
        windows = [
            read(resource, max(60.0, 10.0 + n), n, is_held_longer=last)
            for n, last in ((0, False), (100, False), (200, False), (200, True))
        ]
        windows.append(read(Resource.THREADS, 1.0, 300))

        assert _rows(resource, windows, ("connections",)) == rows


def test_a_jump_that_is_found_is_a_column_with_the_middle_of_where_it_came(venue, cost, ramp):
    record = replace(
        planted_cost(venue, Resource.MEMORY, cost(baseline=45e6, connection=26e3)),
        steps=[
            replace(step, plateau_s=4.0 + 8.0 * (n % 3))
            for n, step in enumerate(ramp(0, 50, 100, 150, 200, 250, 300))
        ],
    ).record()
    windows = plateau_windows(record.steps, record.samples, 0.0)
    raised = [
        replace(
            w, mean={Resource.MEMORY: w.mean[Resource.MEMORY] + 4e6 * (w.asked_connections > 150)}
        )
        for w in windows
    ]
    rows = cost_rows(Resource.MEMORY, raised, attribution(raised))

    assert rows.jumps == {2: 175.0}
    assert rows.matrix[:, 2].tolist() == [float(w.asked_connections > 150) for w in raised]
    assert rows.fit.coefficients == pytest.approx([45e6, 26e3, 4e6], rel=1e-3)


def test_what_departed_connections_left_has_a_column_of_memory_alone(venue, ramp):
    record = replace(venue, steps=ramp(100, 200, 300, 50, 150)).record()
    windows = plateau_windows(record.steps, record.samples, 0.0)
    rows = list(range(len(windows)))

    assert use_design(Resource.MEMORY, windows, ("connections",), rows).shape[1] == 3
    assert use_design(Resource.CPU, windows, ("connections",), rows).shape[1] == 2
    up = [row for row in rows if windows[row].step < 4]
    assert use_design(Resource.MEMORY, windows, ("connections",), up).shape[1] == 2
