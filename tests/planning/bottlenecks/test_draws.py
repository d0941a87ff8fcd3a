from dataclasses import replace

import numpy as np
import pytest

from capacity.domain.plan import NoCeiling
from capacity.domain.resources import LimitState, Resource
from capacity.planning.bottlenecks.draws import (
    Noise,
    _used_at_highest,
    drawn_ceiling,
    interval_of,
    low_end,
)
from capacity.planning.evidence.effective_limits import effective_limits
from capacity.planning.evidence.load_components import attribution
from capacity.planning.evidence.mix import measured_mix
from capacity.planning.evidence.windows import plateau_windows


@pytest.fixture
def drawn(venue):
    """Return what is drawn for a resource of the planted run, its limit changed."""
    record = venue.record()
    windows = plateau_windows(record.steps, record.samples, 0.0)
    limits = effective_limits(record.manifest.agent.limits)
    noise = Noise.drawn(windows, np.random.default_rng(1))

    def of(resource, missing=(), **changes):
        limit = limits.get(resource)
        return drawn_ceiling(
            *(resource, windows, attribution(windows), measured_mix(record.steps)),
            limit=replace(limit, **changes) if limit else None,
            missing=dict(missing),
            noise=noise,
        )

    return of


def test_a_counted_resource_allows_whole_connections(drawn, venue):
    found = drawn(Resource.DESCRIPTORS)
    truth = venue.costs[Resource.DESCRIPTORS].ceiling(venue.limits[Resource.DESCRIPTORS])

    assert found.is_certain
    assert np.array_equal(found.ceilings, np.floor(found.ceilings))
    assert found.ceilings[-1] == pytest.approx(truth, rel=0.01)


def test_what_is_measured_scatters_around_its_forecast(drawn):
    found = drawn(Resource.MEMORY)

    assert low_end(found.ceilings) < found.ceilings[-1] < interval_of(found.ceilings).high


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"state": LimitState.UNLIMITED, "value": None}, "unlimited"),
        ({"state": LimitState.UNKNOWN, "value": None, "reason": "denied"}, "limit unknown: denied"),
    ],
)
def test_without_a_limit_there_is_no_ceiling_but_a_reason(drawn, changes, reason):
    found = drawn(Resource.MEMORY, **changes)

    assert isinstance(found, NoCeiling)
    assert found.reason.startswith(reason)


def test_what_was_not_read_is_told_with_the_agents_reason(drawn):
    found = drawn(Resource.HEAP, missing={"heap": "no runtime is known"})

    assert found.reason == "usage not read: no runtime is known"


def test_the_use_at_the_peak_is_that_of_the_step_with_most_connections(venue):
    record = venue.record()
    windows = plateau_windows(record.steps, record.samples, 0.0)
    highest = max(window.load.connections for window in windows)
    at_peak = [w.mean[Resource.MEMORY] for w in windows if w.load.connections == highest]

    assert min(at_peak) <= _used_at_highest(windows, Resource.MEMORY) <= max(at_peak)
