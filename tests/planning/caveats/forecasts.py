"""Plans whose forecast is doubted, or is not."""

from dataclasses import replace

import pytest

from capacity.domain.estimates import Estimate
from capacity.planning.caveats.forecast import plan_doubts
from capacity.planning.evidence.load_components import attribution
from capacity.planning.evidence.windows import plateau_windows
from capacity.planning.plan import plan


@pytest.fixture(scope="module")
def planned(venue):
    return plan(replace(venue, seed=2).record())


@pytest.fixture(scope="module")
def attributed(venue):
    record = venue.record()
    return attribution(plateau_windows(record.steps, record.samples, 0.0))


@pytest.fixture(scope="module")
def quiet(planned):
    """Walls that give no reason for a doubt of their own."""
    return tuple(
        replace(wall, cost=replace(wall.cost, residual_ratio=0.01)) for wall in planned.ladder
    )


@pytest.fixture(scope="module")
def doubts(planned, attributed, quiet):
    def found(capacity=985.0, highest=250.0, walls=quiet, attributed=attributed, **more):
        return plan_doubts(
            Estimate.exactly(capacity), highest, walls, attributed, planned.mix, **more
        )

    return found
