"""Process groups as process-exporter 0.7.10 publishes them."""

import pytest

from capacity.domain.resources import LimitState, Resource
from capacity.sources.metrics.exposition import page_of
from capacity.sources.metrics.process_exporter import (
    DESCRIPTOR_LIMIT_GAUGE,
    READERS,
    limits,
    started_at,
    target_name,
)
from capacity.sources.metrics.series import AbsentError, Rates, Values, read_all

PAGE = """\
namedprocess_namegroup_cpu_seconds_total{groupname="exchange",mode="system"} 0.06
namedprocess_namegroup_cpu_seconds_total{groupname="exchange",mode="user"} 0.3
namedprocess_namegroup_memory_bytes{groupname="exchange",memtype="resident"} 4.1549824e+07
namedprocess_namegroup_memory_bytes{groupname="exchange",memtype="virtual"} 4.9762304e+07
namedprocess_namegroup_num_procs{groupname="exchange"} 1
namedprocess_namegroup_num_threads{groupname="exchange"} 1
namedprocess_namegroup_oldest_start_time_seconds{groupname="exchange"} 1.795424654e+09
namedprocess_namegroup_open_filedesc{groupname="exchange"} 9
namedprocess_namegroup_worst_fd_ratio{groupname="exchange"} 0.00045
"""


def values(at=1.0, **changed):
    lines = PAGE.splitlines()
    for name, value in changed.items():
        lines = [
            f"{line.rpartition(' ')[0]} {value}" if f"namegroup_{name}" in line else line
            for line in lines
        ]
    return Values(page_of("\n".join(lines), lambda _name: True, at).series)


def brought(values, rates=None):
    return read_all(READERS, values, rates or Rates())


def used(values, rates=None):
    return {k: v for reading in brought(values, rates) for k, v in reading.used.items()}


def missing(values, rates=None):
    return {k: v for reading in brought(values, rates) for k, v in reading.missing.items()}


def test_a_group_of_one_process_says_its_use_and_its_soft_limit():
    [descriptors, *_] = brought(values())

    assert {Resource.DESCRIPTORS: 9} == descriptors.used
    assert {DESCRIPTOR_LIMIT_GAUGE: 20000} == descriptors.gauges
    assert {9, 41549824, 1} == set(used(values()).values())
    assert 1795424654 == started_at(values())
    assert "exchange" == target_name({"groupname": "exchange"})


@pytest.mark.parametrize("limit", [256, 1024, 4096, 20_000, 1_048_576])
@pytest.mark.parametrize("opened", [3, 200, 255])
def test_the_limit_comes_out_of_the_ratio_as_a_whole_number(limit, opened):
    [descriptors, *_] = brought(values(open_filedesc=opened, worst_fd_ratio=opened / limit))

    assert limit == descriptors.gauges[DESCRIPTOR_LIMIT_GAUGE]


def test_the_only_thread_is_the_event_loop():
    rates = Rates()
    used(values(at=1.0), rates)
    found = used(values(at=3.0, cpu_seconds_total=0.68), rates)

    assert 0.5 == pytest.approx(found[Resource.CPU])
    assert found[Resource.CPU] == found[Resource.EVENT_LOOP]


def test_of_several_threads_the_hottest_is_not_known():
    rates = Rates()
    used(values(at=1.0), rates)
    found = values(at=3.0, num_threads=4, cpu_seconds_total=1)

    assert "only the sum of their CPU" in missing(found, rates)[Resource.EVENT_LOOP]


def test_of_several_processes_the_fullest_is_not_known():
    assert "the group has 3 processes" in missing(values(num_procs=3))[Resource.DESCRIPTORS]


def test_an_exporter_without_permission_sees_no_descriptors_rather_than_none_open():
    assert "run it as" in missing(values(open_filedesc=0))[Resource.DESCRIPTORS]


def test_a_group_without_a_process_has_no_start():
    assert started_at(values(num_procs=0)) is None
    with pytest.raises(AbsentError):
        started_at(Values(()))


def test_limits_of_cgroups_are_unknown_rather_than_none():
    states = {limit.resource: (limit.state, limit.value) for limit in limits(values())}

    assert (LimitState.KNOWN, 20000) == states[Resource.DESCRIPTORS]
    assert (LimitState.KNOWN, 1) == states[Resource.EVENT_LOOP]
    assert {(LimitState.UNKNOWN, None)} == {states[Resource.MEMORY], states[Resource.THREADS]}


def test_a_limit_that_cannot_be_derived_is_unknown_with_the_reason():
    [descriptors, *_] = limits(values(num_procs=2))

    assert LimitState.UNKNOWN == descriptors.state
    assert "2 processes" in descriptors.reason
