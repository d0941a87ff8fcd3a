"""What most caveats are looked for in."""

from dataclasses import replace

import pytest

from capacity.domain.resources import Resource


@pytest.fixture(scope="module")
def memory(venue, cost, safe):
    """Memory gives out first, at 2,500 connections after tests up to 245 in eight levels."""
    return replace(
        venue,
        steps=safe(8.0, 8),
        costs={Resource.MEMORY: cost(baseline=60e6, connection=60e3, delivery=500.0, noise=0.002)},
        limits={Resource.MEMORY: 60e6 + 1000 * 65e3},
    )
