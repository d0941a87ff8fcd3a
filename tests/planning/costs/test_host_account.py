from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from capacity.domain.resources import Resource
from capacity.planning.costs.host_account import (
    by_own_account,
    is_explained,
)
from capacity.planning.evidence.windows import plateau_windows
from capacity.planning.plan import plan

EACH_BYTES, OTHERS_BYTES, HOST_BYTES = 100e3, 2e9, 8e9


@pytest.fixture
def host(venue, cost):
    """Return a run on a host whose other programs, and whatever grows with a connection, take this."""

    def with_others(others=lambda _n: 0.0, beside_bytes=0.0):
        own = cost(baseline=60e6, connection=EACH_BYTES)
        whole = cost(baseline=60e6 + OTHERS_BYTES, connection=EACH_BYTES + 8192 + beside_bytes)
        record = replace(
            venue,
            costs={Resource.MEMORY: own, Resource.HOST_MEMORY: whole},
            limits={Resource.MEMORY: 1e12, Resource.HOST_MEMORY: HOST_BYTES},
        ).record()
        samples = tuple(
            replace(
                sample,
                used={
                    **sample.used,
                    Resource.HOST_MEMORY: sample.used[Resource.HOST_MEMORY] + others(n),
                },
            )
            for n, sample in enumerate(record.samples)
        )
        return replace(record, samples=samples)

    return with_others


def host_wall(record):
    return {wall.resource: wall for wall in plan(record).ladder}[Resource.HOST_MEMORY]


def truth(most_of_others, beside_bytes=0.0):
    rest = HOST_BYTES - 60e6 - OTHERS_BYTES - most_of_others
    return rest / (EACH_BYTES + 8192 + beside_bytes)


def test_neighbours_that_come_and_go_do_not_hide_what_a_connection_takes(host):
    """They take up to 300 MB, twelve times what all connections together take."""
    chance = np.random.default_rng(7)
    wall = host_wall(host(lambda _n: 300e6 * chance.random()))

    assert wall.ceiling.is_bounded
    assert wall.ceiling.low <= truth(300e6) * 1.02
    assert wall.ceiling.mid == pytest.approx(truth(300e6), rel=0.1)


def test_what_grows_elsewhere_with_the_connections_still_counts(host):
    wall = host_wall(host(beside_bytes=400e3))

    assert wall.ceiling.mid == pytest.approx(truth(0.0, 400e3), rel=0.05)


def test_the_most_that_others_had_lies_below_the_targets_own(host):
    record = host(lambda n: 100e6 * (n % 3))
    windows = plateau_windows(record.steps, record.samples, 0.0)
    told = by_own_account(windows)
    others = {
        round(
            window.mean[Resource.HOST_MEMORY]
            - window.mean[Resource.MEMORY]
            - 8192 * window.load.connections
        )
        for window in told
    }

    assert 1 == len(others)
    assert OTHERS_BYTES < others.pop() <= OTHERS_BYTES + 200e6


def test_without_the_targets_memory_the_whole_counts(host):
    record = host()
    first, *others = plateau_windows(record.steps, record.samples, 0.0)
    blind = {key: use for key, use in first.mean.items() if key is not Resource.MEMORY}

    assert by_own_account([replace(first, mean=blind), *others]) is None
    assert by_own_account([]) is None


@pytest.mark.parametrize(
    ("draws", "is_so"), [([9.0, 1.0, 9.0], True), ([1.0, 9.0], True), ([9.0], False)]
)
def test_each_draw_but_the_estimate_itself_tells(draws, is_so):
    whole, own = (SimpleNamespace(marginal=np.array(each)) for each in (draws, [2.0]))

    assert is_so == is_explained(whole, own)


@pytest.mark.parametrize(("off", "is_so"), [(0.02, True), (-0.02, False)])
def test_the_own_cost_explains_the_whole_unless_nearly_all_draws_are_dearer(off, is_so):
    cheap = round(100 * (0.05 + off))
    draws = np.array([1.0] * cheap + [3.0] * (100 - cheap) + [3.0])
    whole, own = SimpleNamespace(marginal=draws), SimpleNamespace(marginal=np.array([2.0]))

    assert is_so == is_explained(whole, own)


def test_mean_and_peak_of_the_host_are_others_most_and_the_own_of_each(host):
    record = host(lambda n: 100e6 * (n % 3))
    windows = plateau_windows(record.steps, record.samples, 0.0)
    for told, read in zip(by_own_account(windows), windows, strict=True):
        apart = told.peak[Resource.HOST_MEMORY] - told.mean[Resource.HOST_MEMORY]

        assert pytest.approx(read.peak[Resource.MEMORY] - read.mean[Resource.MEMORY]) == apart
        assert told.peak[Resource.HOST_MEMORY] > OTHERS_BYTES
