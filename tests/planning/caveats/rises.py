"""Records whose use rises while nobody joins."""

from dataclasses import replace

import pytest

from capacity.domain.resources import Resource

BASELINE, PER_CONNECTION = 60e6, 60e3


@pytest.fixture(scope="module")
def memory(venue, cost, safe):
    """Memory gives out first; every connection takes the same, and reads scatter by a thousandth."""
    costs = {Resource.MEMORY: cost(baseline=BASELINE, connection=PER_CONNECTION, noise=0.001)}
    limits = {Resource.MEMORY: BASELINE + 1000 * PER_CONNECTION}
    return replace(venue, steps=safe(8.0, 8), costs=costs, limits=limits)


def rising_with_time(record, of_a_connection_per_s, *, levels_off=1.0, resource=Resource.MEMORY):
    """Return the record with a use that each connection adds to for as long as it is there.

    After the highest level by *levels_off* times as much.
    """
    most = max(step.step.connections for step in record.steps)
    total, before_at, was_highest, samples = 0.0, 0.0, False, []
    for sample in record.samples:
        begun = [step for step in record.steps if step.started_at < sample.at - 1e-6]
        count = begun[-1].step.connections if begun else 0
        was_highest |= count == most
        ratio = levels_off if was_highest and count < most else 1.0
        total += ratio * of_a_connection_per_s * count * (sample.at - before_at) * bool(samples)
        before_at = sample.at
        used = {**sample.used, resource: sample.used[resource] + total}
        samples.append(replace(sample, used=used))
    return replace(record, samples=tuple(samples))


@pytest.fixture(scope="module")
def revisiting(memory):
    """The same, with half of the connections once more at the end, as the safe profile has it."""
    return replace(memory, steps=(*memory.steps, memory.steps[len(memory.steps) // 2]))
