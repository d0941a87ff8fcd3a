"""Merging, limits in time, the fixed interval, and collectors that fail beside others that do not."""

import runpy
import time
from pathlib import Path

import psutil
import pytest

from capacity.domain.resource_facts import LATENCIES
from capacity.domain.resources import Resource
from capacity.monitor import collector_costs as costs_module
from capacity.monitor.collectors.base import TargetCollector
from capacity.monitor.collectors.cpu import CpuCollector
from capacity.monitor.collectors.registry import host_collectors, target_collectors
from capacity.monitor.host.listeners import TargetListeners

SAMPLERS = runpy.run_path(str(Path(__file__).with_name("samplers.py")), run_name="samplers")
limit = SAMPLERS["limit"]
Working = SAMPLERS["Working"]
Host = SAMPLERS["Host"]
make = SAMPLERS["make"]
BOOT_TIME_ROUNDED_S = 1.5
"""The kernel tells its boot in whole seconds, and a start in ticks after that."""


class Failing(TargetCollector):
    provides = (Resource.CPU, "processes")

    def __init__(self, error):
        self.error = error

    def collect(self, target):
        raise self.error


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


def test_what_each_collector_costs_is_told_every_ten_seconds(make, monkeypatch):
    sampler, _ = make(Working(), hosts=[Host()])
    at_once = sampler.sample().gauges
    monkeypatch.setattr(costs_module, "_EVERY_S", 0.0)
    later = sampler.sample().gauges

    # Both are defined in samplers.py; the audit is the sampler's own.
    assert set(later) - set(at_once) == {
        "collector_samplers_cores",
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
