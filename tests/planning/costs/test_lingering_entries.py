"""Entries that requests leave in the connection-tracking table, from plan to plan."""

from dataclasses import replace

import pytest

from capacity.domain.resources import Resource
from capacity.planning.plan import plan

CONNTRACK, PORTS, TABLE, OWN = Resource.CONNTRACK, Resource.OUTGOING_PORTS, 1600.0, 4
EACH, POLLS = 2.0, 0.02


@pytest.fixture(scope="module")
def proxied(venue, cost, safe):
    """A proxy whose every client is tracked twice."""
    return replace(
        venue,
        steps=safe(8.0, 5),
        costs={CONNTRACK: cost(baseline=OWN, connection=EACH)},
        limits={CONNTRACK: TABLE},
    )


def leaving(record, entries_a_request, resource=CONNTRACK):
    """Return the record with the entries of the requests of the last two minutes."""
    asked, before_at, samples = [], record.samples[0].at, []
    for sample in record.samples:
        step = [step for step in record.steps if step.started_at < sample.at - 1e-6][-1]
        asked.append((sample.at, step.step.requests_per_s * (sample.at - before_at)))
        before_at = sample.at
        recent = sum(count for at, count in asked if at > sample.at - 120.0)
        used = {**sample.used, resource: round(sample.used[resource] + entries_a_request * recent)}
        samples.append(replace(sample, used=used))
    return replace(record, samples=tuple(samples))


@pytest.mark.parametrize("entries", [1.0, 2.0])
def test_the_table_is_full_where_what_requests_leave_in_two_minutes_fits_no_more(proxied, entries):
    found = plan(leaving(proxied.record(), entries))

    held = (TABLE - OWN) / (EACH + POLLS * entries * 120.0)
    assert found.binding is CONNTRACK
    # What the levels before left is in the line as well: rather too low than too high.
    assert 0.88 * held < found.capacity.mid < 1.03 * held


def test_requests_that_leave_nothing_cost_nothing(proxied):
    assert plan(proxied.record()).capacity.mid == pytest.approx((TABLE - OWN) / EACH, rel=0.01)


def test_a_port_that_is_taken_again_is_not_charged_for_the_time_it_waits(proxied):
    made = replace(proxied, costs={PORTS: proxied.costs[CONNTRACK]}, limits={PORTS: TABLE}).record()

    assert plan(leaving(made, 1.0, PORTS)).capacity.mid > 1.5 * (TABLE - OWN) / (EACH + 2.4)
