from dataclasses import replace

import pytest

from capacity.domain.resources import Resource
from capacity.planning.evidence.load_components import COMPONENTS, attribution, design, mix_vector
from capacity.planning.evidence.windows import plateau_windows


def windows_of(planted):
    record = planted.record()
    return plateau_windows(record.steps, record.samples, 0.0)


def with_load(windows, **components):
    return [replace(window, load=replace(window.load, **components)) for window in windows]


def test_the_safe_profile_tells_all_three_costs_apart(venue):
    found = attribution(windows_of(venue))

    assert found.separated == ("connections", "deliveries_per_s", "requests_per_s")
    assert found.condition_number < 30.0


def test_a_fixed_mix_ramp_tells_only_connections(venue, ramp):
    found = attribution(windows_of(replace(venue, steps=ramp(50, 100, 150, 200))))

    assert found.separated == ("connections",)
    assert found.merged == ("deliveries_per_s", "requests_per_s")
    assert found.condition_number > 30.0
    assert not found.snaps


def test_requests_that_move_with_deliveries_are_merged_into_them(venue):
    windows = windows_of(venue)
    windows = [
        replace(w, load=replace(w.load, requests_per_s=0.002 * w.load.deliveries_per_s))
        for w in windows
    ]

    found = attribution(windows)

    assert found.separated == ("connections", "deliveries_per_s")
    assert found.merged == ("requests_per_s",)


def test_counted_resources_take_requests_where_others_take_deliveries(venue):
    windows = windows_of(venue)
    windows = [
        replace(w, load=replace(w.load, requests_per_s=0.002 * w.load.deliveries_per_s))
        for w in windows
    ]

    found = attribution(windows)

    assert found.of(Resource.DESCRIPTORS) == ("connections", "requests_per_s")
    assert found.of(Resource.CPU) == ("connections", "deliveries_per_s")
    assert found.snaps


def test_what_does_not_vary_belongs_to_the_baseline(venue):
    found = attribution(with_load(windows_of(venue), requests_per_s=5.0))

    assert found.constant == ("requests_per_s",)
    assert found.separated == ("connections", "deliveries_per_s")
    assert found.snaps


def test_connections_stay_a_component_even_where_they_hardly_vary(venue):
    found = attribution(
        with_load(windows_of(venue), connections=1000.0, deliveries_per_s=0.0, requests_per_s=0.0)
    )

    assert found.separated == ("connections",)
    assert found.condition_number > 30.0


def test_the_design_has_a_column_of_ones_and_one_a_component(venue):
    window = windows_of(venue)[-1]
    load = window.load

    assert design([window], COMPONENTS).tolist() == [
        [1.0, load.connections, load.deliveries_per_s, load.requests_per_s, load.handshakes_per_s]
    ]
    assert mix_vector(load.per_connection(), COMPONENTS) == pytest.approx([1.0, 10.0, 0.02, 0.0])


def churned(venue, times=0.02):
    """Every other pair of steps closes and opens connections."""
    steps = [
        replace(step, churn_per_s=times * step.connections * (index // 2 % 2))
        for index, step in enumerate(venue.steps)
    ]
    return replace(venue, steps=steps)


def test_churn_is_told_apart_where_steps_with_it_stand_beside_steps_without(venue, safe):
    found = attribution(windows_of(churned(replace(venue, steps=safe(12.0, 8)))))

    assert found.separated == COMPONENTS
    assert found.condition_number < 30.0


def test_clients_that_happen_to_come_back_are_no_experiment(venue):
    windows = with_load(windows_of(venue))
    windows = [
        replace(w, load=replace(w.load, handshakes_per_s=0.1 * (n % 3)))
        for n, w in enumerate(windows)
    ]

    assert "handshakes_per_s" not in attribution(windows).separated


@pytest.mark.parametrize(("spread", "varies"), [(0.009, False), (0.011, True)])
def test_a_component_varies_from_a_hundredth_of_its_most_on(venue, spread, varies):
    windows = [
        replace(w, load=replace(w.load, requests_per_s=5.0 * (1.0 - spread * (n % 2))))
        for n, w in enumerate(windows_of(venue))
    ]
    found = attribution(windows)

    assert ("requests_per_s" in found.constant) is not varies


def test_what_is_never_there_is_neither_constant_nor_varying(venue):
    found = attribution(with_load(windows_of(venue), requests_per_s=0.0))

    assert (found.constant, found.merged) == ((), ())
