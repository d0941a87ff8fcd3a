"""Containers by the names and meanings of cAdvisor's docs/storage/prometheus.md."""

import pytest

from capacity.domain.resources import LimitState, Resource
from capacity.sources.metrics.cadvisor import READERS, limits, started_at, target_name
from capacity.sources.metrics.exposition import page_of
from capacity.sources.metrics.process_exporter import DESCRIPTOR_LIMIT_GAUGE
from capacity.sources.metrics.series import Rates, Values, read_all

PAGE = """\
container_memory_working_set_bytes{name="feed"} 5e7
container_spec_memory_limit_bytes{name="feed"} 2.5e8
container_spec_cpu_quota{name="feed"} 150000
container_spec_cpu_period{name="feed"} 100000
container_cpu_usage_seconds_total{name="feed",cpu="cpu00"} 10
container_cpu_usage_seconds_total{name="feed",cpu="cpu01"} 20
container_start_time_seconds{name="feed"} 1.7e9
"""
PROCESSES = """\
container_file_descriptors{name="feed"} 210
container_processes{name="feed"} 1
container_ulimits_soft{name="feed",ulimit="max_open_files"} 1024
container_ulimits_soft{name="feed",ulimit="max_processes"} 77
container_threads{name="feed"} 5
container_threads_max{name="feed"} 0
"""


def values(page, at=1.0):
    return Values(page_of(page, lambda _name: True, at).series)


def by_resource(page):
    return {limit.resource: (limit.state, limit.value) for limit in limits(values(page))}


def test_limits_are_the_containers_and_zero_is_none():
    found = by_resource(PAGE + PROCESSES)

    assert found == {
        Resource.DESCRIPTORS: (LimitState.KNOWN, 1024),
        Resource.MEMORY: (LimitState.KNOWN, 2.5e8),
        Resource.THREADS: (LimitState.UNLIMITED, None),
        Resource.CPU: (LimitState.KNOWN, 1.5),
    }


def test_without_process_metrics_their_limits_are_unknown():
    found = by_resource(PAGE)

    assert {LimitState.UNKNOWN} == {
        found[resource][0] for resource in (Resource.DESCRIPTORS, Resource.THREADS)
    }


def test_a_container_without_a_quota_has_none():
    page = PAGE.replace("150000", "-1")

    assert Resource.CPU not in by_resource(page)


def test_a_container_of_one_process_says_its_descriptors():
    descriptors, threads, memory, _ = read_all(READERS, values(PAGE + PROCESSES), Rates())

    assert ({Resource.DESCRIPTORS: 210}, {DESCRIPTOR_LIMIT_GAUGE: 1024}) == (
        descriptors.used,
        descriptors.gauges,
    )
    assert {Resource.THREADS: 5} == threads.used
    assert {Resource.MEMORY: 5e7} == memory.used


@pytest.mark.parametrize(("cache", "used"), [("1e7", 4e7), ("6e7", 0)])
def test_active_file_cache_that_is_published_is_no_use(cache, used):
    page = PAGE + f'container_memory_total_active_file_bytes{{name="feed"}} {cache}\n'
    _, _, memory, _ = read_all(READERS, values(page), Rates())

    assert {Resource.MEMORY: used} == memory.used


def test_a_container_of_several_says_only_their_sum():
    page = PAGE + PROCESSES.replace('processes{name="feed"} 1', 'processes{name="feed"} 4')
    descriptors, *_ = read_all(READERS, values(page), Rates())

    assert "4 processes" in descriptors.missing[Resource.DESCRIPTORS]


def test_a_limit_that_is_not_published_does_not_take_the_use_away():
    page = PAGE + "\n".join(line for line in PROCESSES.splitlines() if "soft" not in line)
    descriptors, *_ = read_all(READERS, values(page), Rates())

    assert {Resource.DESCRIPTORS: 210} == descriptors.used
    assert [DESCRIPTOR_LIMIT_GAUGE] == list(descriptors.missing)


def test_cpu_is_the_sum_of_the_cores():
    rates = Rates()
    read_all(READERS, values(PAGE, at=1.0), rates)
    *_, cpu = read_all(READERS, values(PAGE.replace("} 20", "} 21"), at=3.0), rates)

    assert 0.5 == pytest.approx(cpu.used[Resource.CPU])


def test_a_container_has_a_start_and_a_name():
    assert 1.7e9 == started_at(values(PAGE))
    assert ["feed", "app", "/x"] == [
        target_name(labels)
        for labels in ({"name": "feed"}, {"container": "app", "name": "k8s_…"}, {"id": "/x"})
    ]
