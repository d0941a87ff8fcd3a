import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.models.operations.redundancy import instances_for_demand, survivors


@pytest.mark.parametrize(
    ("connections", "usable", "lost_instances", "zones", "lost_zones", "instances"),
    [
        (1000, 100, 0, 1, 0, 10),
        (1001, 100, 0, 1, 0, 11),
        (1000, 100, 2, 1, 0, 12),  # N+2
        (1000, 100, 0, 3, 1, 15),  # two thirds of 15 are 10
        (1000, 100, 1, 3, 1, 18),  # 12 less one; of 15 only 9 would be left
        (1, 100, 1, 1, 0, 2),
    ],
)
def test_survivors_carry_the_demand(
    connections, usable, lost_instances, zones, lost_zones, instances
):
    found = instances_for_demand(
        connections, usable, lost_instances=lost_instances, zones=zones, lost_zones=lost_zones
    )

    assert found == instances


@given(
    connections=st.floats(1.0, 1e7),
    usable=st.integers(1, 100_000),
    lost=st.integers(0, 5),
    zones=st.integers(1, 5),
    data=st.data(),
)
def test_the_fewest_that_suffice_are_taken(connections, usable, lost, zones, data):
    losses = {
        "lost_instances": lost,
        "zones": zones,
        "lost_zones": data.draw(st.integers(0, zones - 1)),
    }

    found = instances_for_demand(connections, usable, **losses)

    assert found % zones == 0
    assert survivors(found, **losses) * usable >= connections * (1 - 1e-6)
    assert survivors(found - zones, **losses) * usable < connections


def test_more_are_lost_than_there_are():
    assert survivors(2, lost_instances=5, zones=1, lost_zones=0) == 0


def test_nobody_is_served_by_one():
    losses = {"lost_instances": 0, "zones": 1, "lost_zones": 0}

    assert instances_for_demand(0.0, 100, **losses) == 1
