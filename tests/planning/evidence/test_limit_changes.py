from dataclasses import replace

import pytest

from capacity.domain.resources import APPLICATION, AuditEntry, LimitState, Scaling
from capacity.planning.evidence.limit_changes import limit_changes


def entry(value, *, name="maxconn", scope=APPLICATION, source="/a:1", ports=()):
    return AuditEntry(
        name=name,
        state=LimitState.UNLIMITED if value is None else LimitState.KNOWN,
        value=value,
        unit="connections",
        scope=scope,
        source=source,
        scales_with=Scaling.CONNECTIONS,
        ports=ports,
    )


@pytest.fixture
def changes(venue):
    agent = venue.record().manifest.agent

    def between(before, after):
        found = limit_changes(
            replace(agent, audit=tuple(before)), replace(agent, audit=tuple(after))
        )
        return [change.statement for change in found]

    return between


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (200.0, 400.0, ["maxconn: was 200 connections, is 400 connections"]),
        (200.0, None, ["maxconn: was 200 connections, is unlimited"]),
        (200.0, 200.0, []),
        (None, None, []),
    ],
)
def test_a_value_or_a_state_that_is_another_one_changed(changes, before, after, said):
    assert changes([entry(before)], [entry(after)]) == said


def test_what_came_and_what_went_changed(changes):
    assert changes([entry(3.0, name="a")], [entry(2.0, name="b")]) == [
        "b: was not there, is 2 connections",
        "a: was 3 connections, is not there",
    ]


def test_neither_another_process_nor_another_line_is_a_change(changes):
    limits = [entry(5.0, scope="process", source=f"/proc/{pid}/limits: x") for pid in (7, 99)]

    assert changes([limits[0]], [limits[1]]) == []
    assert changes([entry(5.0, source="/a:1")], [entry(5.0, source="/a:9")]) == []


def test_limits_of_other_places_and_ports_are_others(changes):
    before = [entry(5.0, scope="cgroup", source="/b"), entry(6.0, ports=(80,))]
    after = [entry(5.0, scope="cgroup", source="/c"), entry(7.0, ports=(80,))]

    assert len(changes(before, after)) == 3


def test_of_limits_in_one_place_each_is_compared_with_its_own(changes):
    assert changes([entry(1.0), entry(2.0)], [entry(1.0), entry(3.0)]) == [
        "maxconn: was 2 connections, is 3 connections"
    ]
