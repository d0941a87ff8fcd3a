"""When the sampler reads limits again, and the audit with them."""

import runpy
import time
from dataclasses import replace
from pathlib import Path

import pytest

from capacity.domain.resources import APPLICATION, Resource, Scaling
from capacity.monitor import sampler as module
from capacity.monitor.limits.entries import audited
from capacity.monitor.readings import Reading

SAMPLERS = runpy.run_path(str(Path(__file__).with_name("samplers.py")))
limit = SAMPLERS["limit"]
Working = SAMPLERS["Working"]
Host = SAMPLERS["Host"]
make = SAMPLERS["make"]


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


def test_limits_that_cannot_be_read_stop_no_reading(make):
    class Unlimited(Working):
        def limits(self, target):
            raise FileNotFoundError(2, "No such file", "/proc/sys/new")

    sampler, _ = make(Unlimited(), hosts=[Host()])

    assert sampler.sample().used.keys() == {Resource.DESCRIPTORS, Resource.HOST_MEMORY}
    assert sampler.limits == ()
