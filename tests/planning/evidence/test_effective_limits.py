import math
from dataclasses import replace

import pytest

from capacity.domain.resources import APPLICATION, Limit, LimitState, Resource
from capacity.planning.evidence.effective_limits import (
    effective_limits,
    known_value,
    limits_at,
    limits_under_load,
    unclear_caps,
)
from capacity.planning.evidence.windows import DESCRIPTOR_LIMIT, plateau_windows


def limit(state, value=None, source="/proc"):
    return Limit(resource=Resource.MEMORY, state=state, value=value, scope="cgroup", source=source)


UNKNOWN, UNLIMITED = limit(LimitState.UNKNOWN), limit(LimitState.UNLIMITED)
SMALL, LARGE = limit(LimitState.KNOWN, 1.0), limit(LimitState.KNOWN, 2.0)


@pytest.mark.parametrize(
    ("limits", "effective"),
    [
        ([LARGE, SMALL], SMALL),
        ([SMALL, LARGE], SMALL),
        ([UNLIMITED, UNKNOWN], UNKNOWN),
        ([UNKNOWN, UNLIMITED, LARGE], LARGE),
        ([UNLIMITED], UNLIMITED),
        ([limit(LimitState.KNOWN, math.nan), LARGE], LARGE),
    ],
)
def test_the_smallest_known_then_unknown_then_unlimited(limits, effective):

    assert effective_limits(limits) == {Resource.MEMORY: effective}


def test_no_limit_is_no_entry():

    assert effective_limits([]) == {}


@pytest.mark.parametrize("without", [None, UNKNOWN, limit(LimitState.KNOWN, math.inf)])
def test_only_a_finite_number_is_known(without):

    assert known_value(without) is None


def test_the_limit_of_the_process_that_filled_up_replaces_the_one_read_at_rest(venue):
    record = venue.record()
    seen = [replace(sample, gauges={DESCRIPTOR_LIMIT: 4096.0}) for sample in record.samples]
    windows = plateau_windows(record.steps, seen, 0.0)
    at_rest = limit(LimitState.KNOWN, 1024.0)
    limits = [
        replace(at_rest, resource=Resource.DESCRIPTORS, scope="process"),
        replace(at_rest, resource=Resource.DESCRIPTORS, scope="declared"),
        at_rest,
    ]

    assert [4096.0, 1024.0, 1024.0] == [each.value for each in limits_under_load(limits, windows)]


def test_without_a_reading_under_load_the_limits_stay(venue):
    record = venue.record()
    windows = plateau_windows(record.steps, record.samples, 0.0)
    limits = list(record.manifest.agent.limits)

    assert limits_under_load(limits, windows) == limits


@pytest.mark.parametrize(
    ("port", "listening", "kept"),
    [
        (80, (80, 81), [(), (80,)]),
        (81, (80, 81), [(), (81, 82)]),
        (8080, (80, 81), [(), (80,), (81, 82)]),
        (80, None, [(), (80,), (81, 82)]),
        (None, (80,), [(), (80,), (81, 82)]),
    ],
)
def test_limits_of_other_ports_than_the_targets_are_left_out(venue, port, listening, kept):
    limits = [replace(SMALL, ports=ports) for ports in ((), (80,), (81, 82))]
    agent = replace(venue.record().manifest.agent, listening_ports=listening)

    assert [each.ports for each in limits_at(limits, port, agent)] == kept


def test_without_an_agent_all_limits_hold():
    assert limits_at([replace(SMALL, ports=(80,))], 81, None) == [replace(SMALL, ports=(80,))]


def test_a_setting_that_is_unclear_may_bind_below_the_one_that_is_known():
    known, unclear = replace(SMALL, scope=APPLICATION), replace(UNKNOWN, scope=APPLICATION)

    assert unclear_caps([known, unclear], effective_limits([known, unclear])) == [unclear]
    assert unclear_caps([unclear], effective_limits([unclear])) == []
    assert unclear_caps([SMALL, UNKNOWN], effective_limits([SMALL, UNKNOWN])) == []
