"""The sampler in this process, against the real exchange."""

import time

import pytest

from capacity.domain.errors import UnreachableError
from capacity.domain.resources import Resource
from capacity.domain.run import ClockOffset
from capacity.sources import local
from capacity.sources.local import LocalSampler


@pytest.fixture
def sampler(exchange, monkeypatch):
    monkeypatch.setattr(local, "_INTERVAL_S", 0.2)
    sampler = LocalSampler(exchange.port)
    yield sampler
    sampler.close()


def test_who_listens_on_the_port_is_watched(sampler, exchange):
    assert exchange.pid in sampler.info().target_pids
    assert [exchange.pid] == [holder.pid for holder in sampler.port_holders(exchange.port)]
    assert ClockOffset(offset_s=0.0, error_s=0.0) == sampler.clock_offset()


def test_a_sample_is_taken_when_it_is_due_and_kept(sampler):
    [first] = sampler.samples(0)
    assert [] == sampler.samples(1)
    time.sleep(0.25)
    [second] = sampler.samples(1)

    assert (1, 2) == (first.seq, second.seq)
    assert [first, second] == sampler.samples(0)
    assert {Resource.DESCRIPTORS, Resource.CPU} <= second.used.keys()
    assert "agent_cpu_cores" not in second.gauges, "this process does more than sample"


def test_a_port_that_nobody_listens_on_is_named():
    with pytest.raises(UnreachableError, match="nothing listens on TCP port 1 "):
        LocalSampler(1)
