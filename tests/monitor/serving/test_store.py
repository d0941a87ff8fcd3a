"""The ring gives back what was put in, in JSON that says exactly the dataclass."""

import json
import os
from dataclasses import fields, replace
from pathlib import Path

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.domain.resources import Limit, LimitState, Resource
from capacity.domain.sample import AgentInfo, Sample
from capacity.monitor.collectors.descriptors import DescriptorsCollector
from capacity.monitor.host.discovery import Selector
from capacity.monitor.host.procfs import parse_cores
from capacity.monitor.host.target import Target
from capacity.monitor.sampler import Sampler
from capacity.monitor.serving.store import SampleRing, agent_info, as_json


def sample(seq):
    return Sample(
        seq=seq,
        at=1000.5 + seq,
        interval_s=1.0,
        used={Resource.DESCRIPTORS: 7.0},
        gauges={"processes": 2.0},
        counters={},
        missing={Resource.CONNTRACK: "not loaded"},
        target_started_at=None,
    )


def seqs(entries):
    """Return the numbers in the lines, which are the numbers beside them."""
    numbers = [json.loads(line)["seq"] for _, line in entries]
    assert numbers == [seq for seq, _ in entries]
    return numbers


def test_a_sample_becomes_its_fields_and_can_be_made_again():
    values = json.loads(as_json(sample(3)))

    assert list(values) == [field.name for field in fields(Sample)]
    assert values["used"] == {"descriptors": 7.0}
    assert Sample(**values) == sample(3)


def test_enums_are_values_and_tuples_are_lists():
    limit = Limit(
        resource=Resource.CPU, state=LimitState.UNLIMITED, value=None, scope="host", source="s"
    )

    assert json.loads(as_json({"a": 1})) == {"a": 1}
    assert json.loads(as_json([limit, (1, 2)])) == [
        {
            "resource": "cpu",
            "state": "unlimited",
            "value": None,
            "scope": "host",
            "source": "s",
            "reason": None,
            "ports": [],
        },
        [1, 2],
    ]


@given(st.integers(1, 30), st.integers(1, 10), st.integers(0, 40))
def test_since_gives_every_later_sample_still_kept(count, keep, since):
    ring = SampleRing(keep)
    for seq in range(1, count + 1):
        ring.add(sample(seq))
    expected = [seq for seq in range(max(1, count - keep + 1), count + 1) if seq > since]

    assert seqs(ring.since(since)) == expected
    assert ring.newest_seq == count


def test_an_empty_ring_has_nothing_and_says_zero():
    ring = SampleRing(5)

    assert (ring.since(0), ring.newest_seq, ring.latest) == ([], 0, None)


def test_the_current_values_hold_what_was_not_due_again():
    ring = SampleRing(5)
    first = sample(1)
    paced = {Resource.MEMORY_MAPS: 40.0}
    ring.add(replace(first, used={**first.used, **paced}, counters={"listen_drops": 1.0}))
    ring.add(replace(sample(2), used={Resource.DESCRIPTORS: 8.0}))

    assert ring.current.used == {Resource.DESCRIPTORS: 8.0, **paced}
    assert ring.current.counters == {"listen_drops": 1.0}
    assert (ring.current.seq, ring.current.at) == (2, sample(2).at)
    assert json.loads(ring.since(1)[0][1])["used"] == {"descriptors": 8.0}


def test_what_has_gone_missing_is_not_shown_any_longer():
    ring = SampleRing(5)
    ring.add(sample(1))
    ring.add(replace(sample(2), used={}, missing={Resource.DESCRIPTORS: "gone"}))
    back = replace(sample(3), used={Resource.CONNTRACK: 3.0}, missing={})
    gone = ring.current
    ring.add(back)

    assert Resource.DESCRIPTORS not in gone.used
    assert gone.missing[Resource.DESCRIPTORS] == "gone"
    assert ring.current.used[Resource.CONNTRACK] == 3
    assert Resource.CONNTRACK not in ring.current.missing


def test_every_line_ends_in_a_newline():
    ring = SampleRing(5)
    ring.add(sample(1))
    ring.add(sample(2))

    assert [(line.count(b"\n"), line[-1:]) for _, line in ring.since(0)] == [(1, b"\n")] * 2


@pytest.fixture
def sampler(bystander):
    target = Target(Selector(pid=bystander.pid))
    target.resolve()
    sampler = Sampler(target, [DescriptorsCollector()], [])
    sampler.prime()
    return sampler


def test_the_info_says_who_is_watched_and_where(sampler):
    info = agent_info(sampler)

    assert isinstance(info, AgentInfo)
    assert info.target_pids == (sampler.view.root,)
    assert (info.kernel, info.cores) == (os.uname().release, psutil.cpu_count())
    assert info.memory_bytes == psutil.virtual_memory().total
    assert [limit.resource for limit in info.limits] == [Resource.DESCRIPTORS]
    assert info.now >= info.target_started_at
    assert len(info.boot_id) == 36


def test_the_info_says_how_many_threads_share_a_core(sampler):
    siblings = Path("/sys/devices/system/cpu/cpu0/topology/thread_siblings_list")
    if not siblings.exists():
        pytest.skip("the host does not tell which threads share a core")

    assert len(parse_cores(siblings.read_text())) == agent_info(sampler).threads_per_core
