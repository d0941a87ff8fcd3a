"""A sampler with collectors of the test's own."""

import pytest

from capacity.domain.resources import Resource
from capacity.monitor.collectors.base import HostCollector, TargetCollector
from capacity.monitor.host.discovery import Selector
from capacity.monitor.host.target import Target
from capacity.monitor.limits.states import known
from capacity.monitor.readings import Reading
from capacity.monitor.sampler import Sampler


def limit(value):
    return known(Resource.DESCRIPTORS, value, "process", "planted")


class Working(TargetCollector):
    """Counts how often it is asked; its limit follows, or comes with the usage."""

    provides = (Resource.DESCRIPTORS, "resident_bytes", "listen_drops")

    def __init__(self):
        self.asked = 0

    def limits(self, target):
        self.asked += 1
        return [limit(self.asked)]

    def collect(self, target):
        return Reading(
            used={Resource.DESCRIPTORS: 5.0},
            gauges={"resident_bytes": 6.0},
            counters={"listen_drops": 7.0},
            missing={"extra": "why not"},
        )


class Host(HostCollector):
    provides = (Resource.HOST_MEMORY,)

    def collect(self):
        return Reading(used={Resource.HOST_MEMORY: 1.0})


@pytest.fixture
def make(start_child):
    def made(*collectors, hosts=()):
        child = start_child()
        target = Target(Selector(pid=child.pid))
        target.resolve()
        return Sampler(target, list(collectors), list(hosts)), child

    return made
