"""What a target publishes of its own process."""

import pytest

from capacity.domain.resources import LimitState, Resource
from capacity.sources.metrics.client_library import READERS, limits, started_at, target_name
from capacity.sources.metrics.exposition import page_of
from capacity.sources.metrics.process_exporter import DESCRIPTOR_LIMIT_GAUGE
from capacity.sources.metrics.series import Rates, Values, read_all

PAGE = """\
process_cpu_seconds_total {cpu}
process_max_fds 4096
process_open_fds 107
process_resident_memory_bytes 1.7207296e+07
process_start_time_seconds 1.79542465442e+09
"""


def values(cpu=1.0, at=1.0, without=""):
    lines = [
        line for line in PAGE.format(cpu=cpu).splitlines() if without not in line or not without
    ]
    return Values(page_of("\n".join(lines), lambda _name: True, at).series)


def test_use_and_limit_of_descriptors_are_those_published():
    [descriptors, most, memory, cpu] = read_all(READERS, values(), Rates())
    [limit, cgroup] = limits(values())

    assert {Resource.DESCRIPTORS: 107} == descriptors.used
    assert {DESCRIPTOR_LIMIT_GAUGE: 4096} == most.gauges
    assert {Resource.MEMORY: 17207296} == memory.used
    assert {Resource.CPU: "first reading: a rate needs two"} == cpu.missing
    assert (LimitState.KNOWN, 4096) == (limit.state, limit.value)
    assert (Resource.MEMORY, LimitState.UNKNOWN) == (cgroup.resource, cgroup.state)
    assert 1795424654.42 == started_at(values())


def test_cpu_is_a_rate_in_cores():
    rates = Rates()
    read_all(READERS, values(1.0, at=1.0), rates)
    *_, cpu = read_all(READERS, values(1.5, at=3.0), rates)

    assert 0.25 == pytest.approx(cpu.used[Resource.CPU])


def test_a_library_without_a_maximum_leaves_the_limit_unknown_and_tells_the_use():
    [descriptors, most, *_] = read_all(READERS, values(without="max_fds"), Rates())
    [limit, _] = limits(values(without="max_fds"))

    assert {Resource.DESCRIPTORS: 107} == descriptors.used
    assert "process_max_fds is not among the metrics" == most.missing[DESCRIPTOR_LIMIT_GAUGE]
    assert LimitState.UNKNOWN == limit.state


@pytest.mark.parametrize("value", ["-1", "0", "-0", "NaN", "+Inf"])
def test_what_no_process_can_have_was_not_read(value):
    page = (
        f"process_open_fds {value}\nprocess_max_fds {value}\nprocess_resident_memory_bytes {value}"
    )
    odd = Values(page_of(page, lambda _name: True, 1.0).series)
    readings = read_all(READERS, odd, Rates())
    [limit, _] = limits(odd)

    assert [{}, {}, {}, {}] == [{**reading.used, **reading.gauges} for reading in readings]
    assert {Resource.DESCRIPTORS, DESCRIPTOR_LIMIT_GAUGE, Resource.MEMORY} <= {
        name for reading in readings for name in reading.missing
    }
    assert (LimitState.UNKNOWN, None) == (limit.state, limit.value)


def test_the_least_that_a_process_can_have_is_taken():
    page = "process_open_fds 1\nprocess_max_fds 1\n"
    odd = Values(page_of(page, lambda _name: True, 1.0).series)

    assert {Resource.DESCRIPTORS: 1} == read_all(READERS, odd, Rates())[0].used
    assert 1 == next(limits(odd)).value


def test_a_target_is_called_by_its_job():
    assert "feed" == target_name({"job": "feed"})
    assert "process" == target_name({})
