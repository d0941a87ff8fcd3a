"""Which rise of a mark belongs to a step, and in whose account."""

import runpy
from dataclasses import replace
from pathlib import Path

import pytest

from capacity.domain.resources import Resource
from capacity.domain.sample import RESIDENT, MemoryReading
from capacity.planning.evidence.memory_marks import burst_above, memory_of

sample_of = runpy.run_path(str(Path(__file__).parents[2] / "agent_samples.py"))["sample_of"]


def sample(use, mark, charged=None, account=RESIDENT):
    return sample_of(
        used={Resource.MEMORY: use},
        memory=MemoryReading(
            account=account,
            use_bytes=use,
            charged_bytes=use if charged is None else charged,
            high_water_bytes=mark,
        ),
    )


def test_a_mark_that_rose_within_the_step_is_its_burst():
    step = [sample(100.0, 110.0), sample(150.0, 190.0), sample(150.0, 190.0)]

    assert burst_above(step[1:], step) == 40.0


def test_a_mark_from_before_the_step_is_not():
    step = [sample(100.0, 190.0), sample(150.0, 190.0), sample(150.0, 190.0)]

    assert burst_above(step[1:], step) is None


def test_the_cache_that_was_counted_when_the_mark_rose_is_taken_off():
    step = [sample(100.0, 180.0, 180.0), sample(100.0, 200.0, 190.0), sample(100.0, 200.0, 120.0)]

    assert burst_above(step, step) == 10.0


def test_two_accounts_have_no_common_mark():
    step = [sample(100.0, 110.0), sample(150.0, 190.0, account="/sys/fs/cgroup/a")]

    assert burst_above(step, step) is None


@pytest.mark.parametrize("broken", [float("nan"), float("inf"), -1.0])
def test_what_cannot_have_been_read_is_no_mark(broken):
    assert memory_of(sample(100.0, broken)) is None


def test_old_gauges_are_a_mark_only_where_they_are_of_the_limited_cgroup():
    bare = replace(sample(100.0, 0.0), memory=None)
    gauges = {"cgroup_memory_bytes": 130.0, "cgroup_memory_peak_bytes": 160.0}
    of_cgroup = replace(bare, gauges={**gauges, "resident_bytes": 90.0})
    of_processes = replace(bare, gauges={**gauges, "resident_bytes": 100.0})
    of_another = replace(bare, gauges={**gauges, "cgroup_memory_bytes": 99.0})

    assert memory_of(of_cgroup).high_water_bytes == 160.0
    assert memory_of(of_processes) is memory_of(of_another) is memory_of(bare) is None


def test_the_cache_of_the_sample_before_the_mark_rose_is_taken_off_too():
    step = [sample(100.0, 180.0, 180.0), sample(100.0, 200.0, 120.0)]

    assert burst_above(step, step) == 200.0 - (180.0 - 100.0) - 100.0


def test_the_cache_that_was_counted_after_the_mark_rose_is_not_taken_off():
    step = [sample(100.0, 180.0, 180.0), sample(100.0, 200.0, 110.0), sample(100.0, 200.0, 190.0)]

    assert burst_above(step, step) == 200.0 - 80.0 - 100.0
