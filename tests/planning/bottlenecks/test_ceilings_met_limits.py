"""Limits that a run met, beside the walls that are forecast."""

from types import SimpleNamespace

import numpy as np
import pytest

from capacity.domain.observation import CutOffKind
from capacity.domain.plan import MetLimit
from capacity.domain.resources import Resource
from capacity.planning.bottlenecks import ceilings as ceilings_module
from capacity.planning.bottlenecks.ceilings import _bounded


def test_a_limit_that_was_met_without_a_fit_is_a_wall_of_its_own():
    met = MetLimit(
        kind=CutOffKind.DIED,
        resource=Resource.UNIDENTIFIED,
        held=100,
        failed=400,
        statement="it died",
    )
    found = _bounded(None, met, 150.0, np.random.default_rng(1))

    assert (found.used_at_baseline, found.used_at_highest, found.is_certain) == (0.0, 150.0, True)
    assert found.ceilings[-1] == 200.0
    assert (found.cost.baseline.mid, found.cost.per_connection.mid) == (0.0, 1.0)
    assert (found.cost.residual_ratio, found.cost.windows, found.limit.value) == (0.0, 0, 200.0)
    assert found.limit.source == "this run: it died"
    # As likely in each part of the way, in ratios, and whole.
    assert np.quantile(found.ceilings[:-1], [0.25, 0.75]) == pytest.approx([141, 283], abs=2)
    assert np.array_equal(found.ceilings, np.floor(found.ceilings))


def test_of_several_limits_that_were_met_only_a_fit_is_laid_within_all_of_them(monkeypatch):
    """What was drawn between the bounds of one alone is no fit for those of another."""
    laid = []

    def bounded(fitted, met, *_):
        laid.append(fitted)
        return f"within {met.failed}"

    monkeypatch.setattr(ceilings_module, "_bounded", bounded)
    met = [
        SimpleNamespace(resource=resource, failed=failed)
        for resource in (Resource.MEMORY, Resource.THREADS)
        for failed in (100, 200)
    ]
    found = ceilings_module._with_met({Resource.MEMORY: "the fit"}, met, 50.0, None)

    assert [None, None, "the fit", "within 200"] == laid
    assert {Resource.MEMORY: "within 100", Resource.THREADS: "within 100"} == found
