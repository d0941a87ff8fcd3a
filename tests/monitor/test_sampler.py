"""Merging, limits in time, the fixed interval, and collectors that fail beside others that do not."""

import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from capacity.domain.resource_facts import LATENCIES
from capacity.domain.resources import APPLICATION, Resource, Scaling
from capacity.monitor import collector_costs as costs_module
from capacity.monitor import sampler as module
from capacity.monitor.collectors.base import HostCollector, TargetCollector
from capacity.monitor.collectors.cpu import CpuCollector
from capacity.monitor.collectors.registry import host_collectors, target_collectors
from capacity.monitor.host.discovery import Selector
from capacity.monitor.host.listeners import TargetListeners
from capacity.monitor.host.target import Target
from capacity.monitor.limits.entries import audited
from capacity.monitor.limits.states import known
from capacity.monitor.readings import Reading
from capacity.monitor.sampler import Sampler

BOOT_TIME_ROUNDED_S = 1.5
"""The kernel tells its boot in whole seconds, and a start in ticks after that."""


def limit(value):
    return known(Resource.DESCRIPTORS, value, "process", "planted")


class Failing(TargetCollector):
    provides = (Resource.CPU, "processes")

    def __init__(self, error):
        self.error = error

    def collect(self, target):
        raise self.error


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


def test_readings_are_merged_by_kind(make):
    sampler, _ = make(Working(), hosts=[Host()])
    sample = sampler.sample()

    assert sample.used == {Resource.HOST_MEMORY: 1.0, Resource.DESCRIPTORS: 5.0}
    assert (sample.gauges, sample.counters) == ({"resident_bytes": 6.0}, {"listen_drops": 7.0})
    assert sample.missing == {"extra": "why not"}


@pytest.mark.parametrize(
    "error", [PermissionError(13, "denied", "/x"), ValueError("odd"), psutil.AccessDenied(1)]
)
def test_a_failing_collector_is_missing_and_stops_no_other(make, error):
    sampler, _ = make(Failing(error), Working(), hosts=[Host()])
    sample = sampler.sample()

    assert sample.missing.keys() == {Resource.CPU, "processes", "extra"}
    assert sample.used.keys() == {Resource.HOST_MEMORY, Resource.DESCRIPTORS}


def test_a_defect_is_not_swallowed(make):
    sampler, _ = make(Failing(KeyError("ours")))
    with pytest.raises(KeyError):
        sampler.sample()


def test_a_gone_target_leaves_the_host_and_reasons(make):
    before_at = time.time()
    sampler, child = make(Working(), hosts=[Host()])
    there = sampler.sample()
    after_at = time.time()
    child.end()
    gone = sampler.sample()

    assert before_at - BOOT_TIME_ROUNDED_S <= there.target_started_at
    assert there.target_started_at <= after_at + BOOT_TIME_ROUNDED_S
    assert gone.target_started_at is None
    assert gone.used == {Resource.HOST_MEMORY: 1.0}
    assert gone.missing.keys() == set(Working.provides)
    assert {f"the target is gone: process {child.pid} ended"} == set(gone.missing.values())
    assert sampler.view.root == child.pid


def test_sequence_numbers_rise_by_one_from_one(make):
    sampler, _ = make(Working())
    sampler.prime()

    assert [sampler.sample().seq for _ in range(3)] == [1, 2, 3]


def test_the_interval_is_what_really_passed(make):
    sampler, _ = make(Working())
    before_s = time.monotonic()
    sampler.prime()
    began_s, began_at = time.monotonic(), time.time()
    time.sleep(0.15)
    ended_s = time.monotonic()
    sample = sampler.sample()
    after_s, after_at = time.monotonic(), time.time()

    assert ended_s - began_s <= sample.interval_s <= after_s - before_s
    assert began_at < sample.at < after_at


def test_limits_are_read_again_after_their_time_and_not_before(make, monkeypatch):
    collector = Working()
    sampler, _ = make(collector)
    for _ in range(3):
        sampler.sample()
    early = sampler.limits
    monkeypatch.setattr(module, "_LIMITS_S", 0.0)
    sampler._limits_due_at_s = 0.0
    sampler.sample()

    assert (early, sampler.limits) == ((limit(1),), (limit(2),))


@pytest.mark.parametrize(("read_ago_s", "value"), [(0.9, 1), (1.1, 2)])
def test_limits_are_read_anew_for_who_asks_unless_that_was_just_done(make, read_ago_s, value):
    sampler, _ = make(Working())
    sampler.prime()
    sampler._limits_read_at_s = time.monotonic() - read_ago_s * module.FRESH_S
    sampler.refresh_limits()

    assert (limit(value),) == sampler.limits


def test_a_target_that_is_gone_keeps_its_limits_for_who_asks(make):
    sampler, child = make(Working())
    sampler.prime()
    child.end()
    sampler._limits_read_at_s = float("-inf")
    sampler.refresh_limits()

    assert (limit(1),) == sampler.limits


def test_limits_of_an_application_are_those_read_last_by_port(make):
    class Moving(Working):
        def limits(self, target):
            self.asked += 1
            ports = [(80,), (81,)] if self.asked == 1 else [(81,)]
            return [replace(limit(self.asked), scope=APPLICATION, ports=each) for each in ports]

    sampler, _ = make(Moving())
    sampler.sample()
    early = [each.ports for each in sampler.limits]
    sampler._limits_due_at_s = 0.0
    sampler.sample()

    assert early == [(80,), (81,)]
    assert [(each.ports, each.value) for each in sampler.limits] == [((81,), 2)]


def test_limits_are_read_again_after_a_restart(make):
    collector = Working()
    sampler, _ = make(collector)
    sampler.sample()
    sampler._limits_of = 1.0  # As if another process had been there before.
    sampler.sample()

    assert collector.asked == 2


def test_a_limit_that_comes_with_the_usage_replaces_the_one_before(make):
    class Moving(Working):
        def collect(self, target):
            return Reading(limits=(limit(99),))

    sampler, _ = make(Moving())
    sampler.sample()

    assert sampler.limits == (limit(99),)


def test_all_collectors_on_a_real_child_leave_nothing_without_a_word(make):
    listeners = TargetListeners()
    sampler, _ = make(*target_collectors(listeners), hosts=host_collectors())
    samples = [sampler.sample(), sampler.sample()]
    listeners.close()
    # The first has no rates, the second none of what is not due again so soon.
    said = {
        name
        for sample in samples
        for name in (*sample.used, *sample.gauges, *sample.counters, *sample.missing)
    }
    sample = samples[-1]

    assert set(Resource) - LATENCIES - {Resource.UNIDENTIFIED} <= said
    assert not {*sample.used, *sample.gauges, *sample.counters} & sample.missing.keys()
    assert {limit.resource for limit in sampler.limits} == (
        set(Resource) - LATENCIES - {Resource.APPLICATION_CONNECTIONS, Resource.UNIDENTIFIED}
    )


def entry(name):
    return audited(
        name, lambda: 1, unit="files", scope="host", source="s", scales_with=Scaling.CONNECTIONS
    )


@pytest.fixture
def audits(make):
    """A sampler whose audit says how often it was asked, until it is told to fail."""
    sampler, child = make(Working())
    asked = []

    def audit(view):
        asked.append(view.root)
        if len(asked) == 3:
            raise ProcessLookupError
        return (entry(str(len(asked))),)

    sampler._audit = audit
    return sampler, child


def names(sampler):
    return [each.name for each in sampler.audit]


def test_the_audit_is_taken_with_the_limits(audits):
    sampler, _child = audits
    sampler.sample()
    sampler.sample()
    early = names(sampler)
    sampler._limits_due_at_s = 0.0
    sampler.sample()

    assert (early, names(sampler)) == (["1"], ["2"])


def test_a_target_that_ends_during_the_audit_leaves_the_one_before(audits):
    sampler, _child = audits
    for _ in range(3):
        sampler._limits_due_at_s = 0.0
        sampler.sample()

    assert names(sampler) == ["2"]


def test_what_each_collector_costs_is_told_every_ten_seconds(make, monkeypatch):
    sampler, _ = make(Working(), hosts=[Host()])
    at_once = sampler.sample().gauges
    monkeypatch.setattr(costs_module, "_EVERY_S", 0.0)
    later = sampler.sample().gauges

    # Both are defined in this file; the audit is the sampler's own.
    assert set(later) - set(at_once) == {
        f"collector_{Path(__file__).stem}_cores",
        "collector_sampler_cores",
    }


@pytest.mark.parametrize("step_s", [-3600, 3600])
def test_a_clock_that_is_set_leaves_the_samples_where_they_belong(make, monkeypatch, step_s):
    sampler, _ = make(CpuCollector())
    sampler.prime()
    before = sampler.sample()
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + step_s)
    time.sleep(0.1)
    after = sampler.sample()

    assert "clock_stepped_s" not in before.gauges
    assert after.gauges["clock_stepped_s"] == pytest.approx(step_s, abs=0.01)
    assert after.at - before.at == pytest.approx(after.interval_s, abs=0.01)
    assert after.interval_s == pytest.approx(0.1, abs=0.08)
    assert 0 <= after.used[Resource.CPU] < 1
    assert after.target_started_at == before.target_started_at


def test_limits_that_cannot_be_read_stop_no_reading(make):
    class Unlimited(Working):
        def limits(self, target):
            raise FileNotFoundError(2, "No such file", "/proc/sys/new")

    sampler, _ = make(Unlimited(), hosts=[Host()])

    assert sampler.sample().used.keys() == {Resource.DESCRIPTORS, Resource.HOST_MEMORY}
    assert sampler.limits == ()
