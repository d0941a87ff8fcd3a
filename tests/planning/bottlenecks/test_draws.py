import runpy
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from capacity.domain.plan import NoCeiling
from capacity.domain.resources import LimitState, Resource
from capacity.planning.bottlenecks import draws
from capacity.planning.bottlenecks.draws import (
    Noise,
    _used_at_baseline,
    _used_at_highest,
    _why_unfitted,
    drawn_ceiling,
    drawn_objective,
    interval_of,
    low_end,
    unmeasured,
)
from capacity.planning.bottlenecks.latency_objectives import LatencyUse
from capacity.planning.evidence.effective_limits import effective_limits
from capacity.planning.evidence.load_components import attribution
from capacity.planning.evidence.mix import measured_mix
from capacity.planning.evidence.windows import plateau_windows

SHARED = runpy.run_path(str(Path(__file__).parents[1] / "costs" / "test_uneven_share.py"))


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


def test_the_lower_end_is_the_one_in_twenty_of_the_replicates():
    values = np.append(np.arange(1000.0), 7777.0)

    assert low_end(values) == pytest.approx(50.0, abs=1.0)
    assert interval_of(values).mid == interval_of(values).high == 7777.0
    assert interval_of(np.append(np.arange(1000.0), 500.0), 0.5).high == pytest.approx(750, abs=1)


@pytest.mark.parametrize(("levels", "is_fitted"), [(1, False), (2, True)])
def test_a_use_at_two_levels_is_enough(venue, levels, is_fitted):
    record = venue.record()
    windows = plateau_windows(record.steps, record.samples, 0.0)
    asked = sorted({window.asked_connections for window in windows})[:levels]
    read = [window for window in windows if window.asked_connections in asked]
    limit = effective_limits(record.manifest.agent.limits)[Resource.MEMORY]
    reason = _why_unfitted(Resource.MEMORY, read, limit, {})

    assert is_fitted is (reason is None)
    assert is_fitted or reason == "usage read at only 1 connection level; a cost needs 2"
    assert _why_unfitted(Resource.MEMORY, read, None, {}) == "no limit read or declared"
    unknown = replace(limit, state=LimitState.UNKNOWN, value=None, reason=None)
    assert "holds no number" in _why_unfitted(Resource.MEMORY, read, unknown, {})
    assert "the agent does not report it" in _why_unfitted(Resource.HEAP, read, limit, {})


def test_the_use_without_load_is_the_mean_of_idle_windows_or_else_of_the_line(venue):
    record = venue.record()
    windows = plateau_windows(record.steps, record.samples, 0.0)
    idle = [w.mean[Resource.MEMORY] for w in windows if w.asked_connections == 0]
    fit = SimpleNamespace(cost=SimpleNamespace(baseline=SimpleNamespace(mid=7.0)))

    assert _used_at_baseline(windows, Resource.MEMORY, fit) == pytest.approx(np.mean(idle))
    loaded = [w for w in windows if w.asked_connections]
    assert _used_at_baseline(loaded, Resource.MEMORY, fit) == 7.0


def test_of_plateaus_with_most_connections_the_one_that_lasted_or_carried_most_counts(venue):
    window = plateau_windows(venue.record().steps, venue.record().samples, 0.0)[-1]

    def of(step, use, deliveries_per_s=1.0, *, is_held_longer=False):
        load = replace(window.load, connections=9.0, deliveries_per_s=deliveries_per_s)
        return replace(
            window, step=step, load=load, mean={Resource.MEMORY: use}, is_held_longer=is_held_longer
        )

    carried = [of(1, 10.0), of(2, 20.0, 5.0), of(2, 30.0, 5.0)]

    assert _used_at_highest(carried, Resource.MEMORY) == 25.0
    assert _used_at_highest([*carried, of(3, 70.0, is_held_longer=True)], Resource.MEMORY) == 70.0


@pytest.mark.parametrize(("zeros", "is_certain"), [(3, True), (4, False)])
def test_a_cost_that_vanishes_in_more_than_one_of_a_hundred_draws_may_be_nothing(
    drawn, monkeypatch, zeros, is_certain
):
    """Three of the 301 are not more."""
    real = draws._fit

    def fitted(*arguments):
        fit = real(*arguments)
        marginal = fit.marginal.copy()
        marginal[:zeros] = 0.0
        return replace(fit, marginal=marginal)

    monkeypatch.setattr(draws, "_fit", fitted)

    assert drawn(Resource.MEMORY).is_certain is is_certain
    assert drawn(Resource.EVENT_LOOP).is_certain is is_certain


def test_a_ceiling_beyond_all_counts_is_none(drawn, venue):
    far = drawn(Resource.MEMORY, value=1e300)

    assert isinstance(far, NoCeiling)
    assert unmeasured(Resource.MEMORY, far.limit, 1.0, 2.0).reason == (
        "no measurable cost per connection up to 1 connection; capacity at least 2"
    )
    assert "at least" not in unmeasured(Resource.MEMORY, far.limit, 1.0, np.inf).reason


def test_the_forecast_itself_is_moved_by_no_draw(venue):
    record = venue.record()
    windows = plateau_windows(record.steps, record.samples, 0.0)
    noise = Noise.drawn(windows, np.random.default_rng(1))

    assert {float(form[-1]) for form in noise.forms.values()} | {float(noise.splits[-1])} == {0.0}
    assert noise.splits.shape == (301,)


@pytest.mark.parametrize(("preferred", "low", "high"), [(0.0, 1000.0, 1184.0), (0.4, 780.0, 920.0)])
def test_connections_that_chance_deals_out_fill_the_fullest_process(
    venue, cost, preferred, low, high
):
    """592 fit into each of two; one that gets seven of ten is full at 846."""
    record = SHARED["shared_record"](venue, cost, processes=2, preferred=preferred)
    windows = plateau_windows(record.steps, record.samples, 0.0)
    found = drawn_ceiling(
        *(Resource.DESCRIPTORS, windows, attribution(windows), measured_mix(record.steps)),
        limit=effective_limits(record.manifest.agent.limits)[Resource.DESCRIPTORS],
        missing={},
        noise=Noise.drawn(windows, np.random.default_rng(1)),
    )

    assert low < found.ceilings[-1] < high


def test_an_objective_is_drawn_or_says_why_not(venue):
    record = venue.record()
    noise = Noise.drawn(
        plateau_windows(record.steps, record.samples, 0.0), np.random.default_rng(1)
    )
    limit = replace(record.manifest.agent.limits[0], resource=Resource.DELIVERY_DELAY, value=1.0)
    use = LatencyUse(
        limit=limit,
        steps=(0, 1, 2),
        connections=(50.0, 150.0, 100.0),
        medians_s=(0.1, 0.2, 0.15),
        tails_s=(0.2, 0.4, 0.3),
    )
    found = drawn_objective(use, noise)

    assert found.ceilings[-1] == pytest.approx(450.0, rel=1e-3)
    assert (found.used_at_highest, found.is_certain) == (0.4, True)
    assert found.used_at_baseline == pytest.approx(0.1, rel=1e-3)
    few = replace(use, connections=(50.0, 50.0, 100.0))
    assert "2 levels" in drawn_objective(few, noise).reason


def test_an_interval_is_of_all_replicates_but_the_forecast():
    found = interval_of(np.array([1.0, 9.0, 5.0]))

    assert (found.low, found.mid, found.high) == (1.0, 5.0, 9.0)
