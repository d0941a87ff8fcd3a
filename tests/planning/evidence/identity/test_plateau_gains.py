"""What is taken for the use without load, and what of a life that is over."""

from dataclasses import replace

import pytest

from capacity.domain.resources import Resource
from capacity.planning.evidence.identity.count_gains import Rise
from capacity.planning.evidence.identity.plateau_gains import missed_rise, plateau_rises
from capacity.planning.evidence.windows import offset_of


def missed(record):
    manifest = record.manifest
    offset_s = offset_of(manifest.clock_offset)
    return missed_rise(plateau_rises(record.steps, record.samples, manifest.agent, offset_s))


def test_what_a_restart_took_away_is_not_missed(planted, cost, ramp):
    costs = {
        Resource.DESCRIPTORS: cost(baseline=500),
        Resource.MEMORY: cost(baseline=1e6, connection=1e3),
    }
    venue = planted(costs=costs, limits={}, steps=ramp(100, 200), restarts_at=(1,))

    assert missed(venue.record()) is None


def test_a_search_has_no_unloaded_step_and_is_judged_from_before_it(gaining):
    record = gaining(100, 200, descriptors=0.0)
    loaded = tuple(replace(step, index=step.index - 1) for step in record.steps[1:])
    search = replace(record, steps=loaded)

    assert missed(search) is not None
    begun = loaded[0].started_at
    first, *others = search.samples
    gone = replace(first, target_started_at=None)
    assert missed(replace(search, samples=(gone, *others))) == missed(search)
    late = tuple(sample for sample in search.samples if sample.at > begun)
    # Nothing was read before the load: the lowest level stands for it.
    assert "100 connections were opened" in missed(replace(search, samples=late)).statement


def test_what_leads_to_the_target_itself_is_no_relay_to_elsewhere(planted, cost, ramp):
    ports = Resource.OUTGOING_PORTS
    venue = planted(
        costs={ports: cost(baseline=0.0, connection=1.0)}, limits={}, steps=ramp(100, 200)
    )
    record = venue.record()
    inside = tuple(
        replace(each, gauges={**each.gauges, "outgoing_ports_inner": each.used[ports]})
        for each in record.samples
    )
    gained = [
        found.gained[ports]
        for samples in (record.samples, inside)
        for found in plateau_rises(record.steps, samples, record.manifest.agent, 0.0)[-1:]
    ]

    assert [True, False] == [gain > 50 for gain in gained]


@pytest.mark.parametrize(
    ("seen", "missed_at"),
    [
        ([True, False], None),
        ([True, None, False], None),
        ([False, True, False], 300),
        ([False, False, True], None),
        ([None, None], None),
    ],
    ids=["half", "half of those judged", "most", "not the largest", "none is judged"],
)
def test_a_rise_is_missed_where_that_holds_of_most_plateaus_and_of_the_largest(seen, missed_at):
    rises = [
        Rise(opened=100.0 * n, gained={}, is_seen=is_seen) for n, is_seen in enumerate(seen, 1)
    ]
    missing = missed_rise(rises)

    assert missed_at == (missing and missing.opened)
