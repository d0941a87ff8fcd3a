"""Caps that count pollers as well as connections."""

from dataclasses import replace

import pytest

from capacity.domain.observation import CutOff, CutOffKind
from capacity.domain.resources import Resource
from capacity.planning.evidence.met_limits import met_limits

LIMITS = ()


@pytest.fixture
def capped(venue, ramp, cost):
    """Return what a cap admits along a mix of which a connection with its pollers takes 1.02.

    The pollers of 1,000 connections were there first, 20 at an interval of a second: *seen* is what was
    open in all, *opened* were so beside them.
    """

    def admitted(
        *, seen=160.0, opened=140, base=0, each=1.0, orders_per_s=0.0, profile=(), spoil=None
    ):
        counted = cost(baseline=base, connection=each, request=1.0)
        made = replace(
            venue,
            costs={**venue.costs, Resource.APPLICATION_CONNECTIONS: counted},
            steps=ramp(50, 100, 1000),
        ).record()
        *held, last = made.steps
        cut_off = CutOff(kind=CutOffKind.REFUSED, statement="as planted", connections=opened)
        last = replace(
            last,
            step=replace(last.step, orders_per_s=orders_per_s),
            plateau_started_at=None,
            plateau_ended_at=None,
            load=None,
            cut_off=cut_off,
        )
        samples = tuple(
            replace(each, used={**each.used, Resource.APPLICATION_CONNECTIONS: seen})
            if each.at > last.started_at
            else each
            for each in made.samples
        )
        record = replace(
            made,
            steps=(*held, last),
            samples=samples,
            manifest=replace(made.manifest, profile=dict(profile)),
        )
        (met,) = met_limits(spoil(record) if spoil else record, LIMITS)
        return met.held, met.failed

    return admitted


@pytest.mark.parametrize(
    ("changes", "failed"),
    [
        # Whether the cap counts the pollers the run does not tell: 160 of 1.02 each, or 140.
        ({}, 156),
        ({"seen": 150.0}, 147),
        ({"seen": 170.0}, 156),
        ({"seen": 170.0, "orders_per_s": 9.5}, 166),
        ({"seen": 170.0, "orders_per_s": 5.0, "profile": {"order_interval_s": 2.0}}, 166),
        ({"seen": 170.0, "profile": {"poll_interval_s": 1.5}}, 166),
        ({"seen": 170.0, "profile": {"poll_interval_s": 0.5}}, 147),
        # What it has without connections takes of it too.
        ({"base": 3}, 153),
        # Seen are no more than were opened, or each takes less than one: nothing is told of pollers.
        ({"seen": 139.0}, 140),
        ({"each": 0.5}, 140),
        ({"spoil": lambda record: replace(record, steps=record.steps[1:])}, 140),
        ({"spoil": lambda record: replace(record, steps=(record.steps[0], record.steps[-1]))}, 140),
    ],
)  # fmt: skip
def test_a_cap_that_counts_pollers_too_is_told_along_the_mix(capped, changes, failed):
    assert capped(**changes) == (min(140, failed), max(140, failed))


def test_a_cap_of_nearly_nothing_admits_one(capped):
    profile = {"poll_interval_s": 0.0}

    assert capped(seen=3.0, opened=3, base=3, profile=profile) == (1, 3)
