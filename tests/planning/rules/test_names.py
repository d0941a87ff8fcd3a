from capacity.domain.answers.rules import Dimension
from capacity.domain.resources import Resource
from capacity.planning.rules.names import DIMENSIONS, dimension_of


def test_every_resource_has_its_figures_in_its_own_dimension():
    for resource in Resource:
        assert DIMENSIONS[f"limit.{resource}"] is dimension_of(resource)
        assert DIMENSIONS[f"ceiling.{resource}"] is Dimension.COUNT
    assert DIMENSIONS["cost.memory_per_connection"] is Dimension.BYTES
    assert DIMENSIONS["cost.cpu_per_delivery"] is Dimension.CORES
    assert DIMENSIONS["cost.network_out_per_connection"] is Dimension.BYTES_PER_S
    assert DIMENSIONS["cost.descriptors_per_connection"] is Dimension.COUNT


def test_what_takes_no_use_has_no_cost():
    assert "cost.delivery_delay_per_connection" not in DIMENSIONS
    assert "cost.unidentified_per_connection" not in DIMENSIONS
