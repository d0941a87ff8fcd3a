from dataclasses import replace

import numpy as np
import pytest

from capacity.domain.load import LoadVector
from capacity.domain.resources import Resource
from capacity.models.contrasts import StepLine
from capacity.planning.comparison.run_costs import ResourceLine, resource_lines

MIX_DELIVERIES = 10.0


def test_the_costs_along_the_mix_are_those_that_were_planted(measured):
    run = measured(1, cpu_noise=0.0, memory_noise=0.0)
    lines = resource_lines(run.record, list(Resource))
    values = {name: line.line.value(line.along(run.plan.mix)) for name, line in lines.items()}

    assert values[Resource.MEMORY] == pytest.approx(60e3 + 500 * MIX_DELIVERIES, rel=1e-6)
    assert values[Resource.EVENT_LOOP] == pytest.approx(
        1e-5 + 4e-5 * MIX_DELIVERIES + 5e-4 * 0.02, rel=1e-6
    )
    assert values[Resource.DESCRIPTORS] == pytest.approx(1.02, rel=1e-2)


def test_the_use_without_connections_is_the_baseline(measured):
    run = measured(1, cpu_noise=0.0, memory_noise=0.0)
    line = resource_lines(run.record, [Resource.MEMORY])[Resource.MEMORY]

    assert line.line.value(line.at_rest()) == pytest.approx(60e6, rel=1e-6)


def test_a_component_that_was_not_told_apart_has_no_cost_of_its_own(measured):
    line = resource_lines(measured(1).record, [Resource.MEMORY])[Resource.MEMORY]

    assert line.of("deliveries_per_s") is not None
    assert line.of("handshakes_per_s") is None


def test_what_was_not_read_has_no_line(measured):
    assert Resource.THREADS not in resource_lines(measured(1).record, list(Resource))


def test_latencies_are_no_use_of_a_resource(measured):
    assert resource_lines(measured(1).record, [Resource.DELIVERY_DELAY]) == {}


def test_a_cost_along_a_mix_leaves_the_baseline_and_the_jumps_out():
    line = StepLine(
        coefficients=np.zeros(4), shape=np.eye(4), square=0.0, residual_square=0.0, spare=1
    )
    found = ResourceLine(line=line, components=("connections", "deliveries_per_s"))
    mix = LoadVector(
        connections=1.0,
        deliveries_per_s=5.0,
        delivered_bytes_per_s=0.0,
        requests_per_s=7.0,
        handshakes_per_s=0.0,
    )

    assert found.along(mix).tolist() == [0.0, 1.0, 5.0, 0.0]
    assert found.of("deliveries_per_s").tolist() == [0.0, 0.0, 1.0, 0.0]
    assert found.of("requests_per_s") is None
    assert found.at_rest().tolist() == [1.0, 0.0, 0.0, 1.0]


@pytest.mark.parametrize(("levels", "has_line"), [(1, False), (2, True)])
def test_two_levels_are_a_line(measured, levels, has_line):
    record = measured(1).record
    asked = sorted({step.step.connections for step in record.steps})[:levels]
    few = replace(
        record, steps=tuple(step for step in record.steps if step.step.connections in asked)
    )

    assert has_line is (Resource.MEMORY in resource_lines(few, [Resource.MEMORY]))
