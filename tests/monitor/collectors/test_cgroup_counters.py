"""How a cgroup is found, and what is said where there is none; what is counted in it others test."""

import pytest

from capacity.monitor.collectors.cgroup_counters import CgroupCountersCollector
from capacity.monitor.readings import Reading


class First(CgroupCountersCollector):
    provides = ("first", "second")
    controller = "memory"
    none_there = "none of them is the one"
    is_wanted = True

    def chosen(self, groups):
        if self.is_wanted is None:
            raise ValueError("no entry x")
        return groups[0] if self.is_wanted else None

    def counters(self, group):
        return Reading(counters={"first": 1.0 * group.version, "second": 0.0})


@pytest.fixture
def collector(monkeypatch):
    monkeypatch.setattr(First, "is_wanted", True)
    return First()


def test_the_cgroup_that_was_found_with_the_limits_is_read(collector, v2_cgroups):
    assert () == tuple(collector.limits(v2_cgroups))
    assert {"first": 2.0, "second": 0.0} == collector.collect(v2_cgroups).counters


@pytest.mark.parametrize(
    ("is_wanted", "why"),
    [(False, "none of them is the one"), (None, "not in the documented format: no entry x")],
)
def test_without_it_everything_is_missing_with_the_reason(collector, v2_cgroups, is_wanted, why):
    list(collector.limits(v2_cgroups))
    First.is_wanted = is_wanted
    list(collector.limits(v2_cgroups))

    assert {"first": why, "second": why} == collector.collect(v2_cgroups).missing
