"""The load that a profile means for a target."""

from dataclasses import replace

import pytest

from capacity.domain.errors import ConfigError, PreflightError
from capacity.domain.resources import Resource
from capacity.loadgen.checks.planned.planned_load import _rules, course_of, whole_clients
from capacity.planning.safety.audited_bound import AuditedBound
from capacity.settings.dialect import load_dialect
from capacity.settings.locate import find
from capacity.settings.profile import ADAPTER
from capacity.settings.target import load_target
from capacity.settings.targets.private import Private

TARGET = load_target(find("targets", "demo"))
DIALECT = load_dialect(find("dialects", TARGET.dialect))


def profile(kind, **changes):
    return ADAPTER.validate_python({"profile": 1, "name": "p", "kind": kind, **changes})


@pytest.mark.parametrize(("admitted", "most"), [(3, 1), (4, 1), (7, 1), (8, 2)])
def test_a_quarter_of_what_is_admitted_is_rounded_down_to_one_at_least(admitted, most):
    safe = ADAPTER.validate_python(
        {"profile": 1, "name": "few", "kind": "safe", "connections": admitted}
    )

    assert most == _rules(safe, None, None, 1.0).most


@pytest.mark.parametrize(("sockets", "most", "by"), [(24, 24, "generator"), (25, 25, "profile")])
def test_the_generators_own_limit_bounds_an_experiment_where_it_is_less(sockets, most, by):
    rules = _rules(profile("safe", connections=100), None, sockets, 1.0)

    assert most == rules.most
    assert by in rules.most_by


@pytest.mark.parametrize(
    ("generator", "admitted", "most", "by"),
    [
        (50, 400, 20, "generator"),
        (51, 400, 20, "generator"),
        (4, 400, 1, "generator"),
        (1, 400, 1, "generator"),
        (300, 400, 40, "profile"),
        (50, 203, 20, "profile"),
        (300, 8, 1, "profile"),
    ],
)
def test_a_connection_that_brings_sockets_along_takes_as_many(generator, admitted, most, by):
    """Two and a half of them each."""
    rules = _rules(profile("safe", connections=admitted), None, generator, 2.5)

    assert most == rules.most
    assert by in rules.most_by


def test_an_audited_bound_goes_before_the_profiles_number():
    bound = AuditedBound(resource=Resource.DESCRIPTORS, connections=40)

    assert 10 == _rules(profile("safe", connections=100), bound, None, 1.0).most


def test_a_ramp_is_its_levels_and_its_most_are_those_of_the_last():
    ramp = profile("ramp", levels=[2, 4], mix={"requests_per_s_per_connection": 0.5})
    planned = course_of(TARGET, DIALECT, ramp, None)

    assert [0, 2, 4] == [step.connections for step in planned.steps]
    assert (4, 2.0) == (planned.most_connections, planned.most_requests_per_s)
    assert planned.rules is None


def test_an_experiment_begins_without_load_and_ends_where_its_growth_or_its_bound_does():
    safe = profile("safe", connections=4000, start=20, growth=2.0, levels=3)
    planned = course_of(TARGET, DIALECT, safe, None)

    assert 0 == planned.steps[0].connections
    assert 80 == planned.most_connections
    # Forty sockets, and a poller for each fortieth connection.
    assert 39 == course_of(TARGET, DIALECT, safe, None, most_sockets=40).most_connections


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"mix": {"orders_per_s_per_connection": 0.1}}, "has no orders"),
        ({"freshness": {}}, "freshness needs an operation"),
    ],
)
def test_what_the_target_cannot_do_is_refused(changes, said):
    target = TARGET.model_copy(update={"orders": None})
    dialect = replace(DIALECT, rest={})
    with pytest.raises(ConfigError, match=said):
        course_of(target, dialect, profile("ramp", levels=[2], **changes), None)


def test_without_freshness_and_orders_nothing_of_them_is_needed():
    target = TARGET.model_copy(update={"orders": None})
    ramp = profile("ramp", levels=[2], mix={"requests_per_s_per_connection": 0})

    assert course_of(target, replace(DIALECT, rest={}), ramp, None).most_connections == 2


@pytest.mark.parametrize(("subscriptions", "can_idle"), [(0, False), (1, True)])
def test_only_connections_with_subscriptions_can_be_idle(subscriptions, can_idle):
    safe = profile("safe", connections=400, mix={"subscriptions_per_connection": subscriptions})

    assert can_idle == course_of(TARGET, DIALECT, safe, None).experiment.factors.can_idle


def test_an_experiment_is_bounded_by_its_sockets_and_by_its_growth():
    by_growth = profile("safe", connections=4000, start=20, growth=1.5, levels=3)
    planned = course_of(TARGET, DIALECT, by_growth, None)

    assert 45 == planned.most_connections
    assert 45 * planned.experiment.mix.requests_per_s_per_connection == planned.most_requests_per_s
    assert 0.0 == planned.most_orders_per_s
    assert [20, 10, 1] == [
        _rules(profile("safe", connections=80), None, None, sockets).most
        for sockets in (1.0, 2.0, 99.0)
    ]
    assert [12, 1] == [
        _rules(profile("safe", connections=100), None, sockets, 2.0).most for sockets in (25, 1)
    ]


def test_a_bound_says_by_what_it_is_one():
    assert "25 % of connections in the profile (100)" == (
        _rules(profile("safe", connections=100), None, 25, 1.0).most_by
    )
    assert "the load generator's own limits" == (
        _rules(profile("safe", connections=100), None, 24, 1.0).most_by
    )


@pytest.mark.parametrize("orders_per_s", [0.0, 0.1])
def test_of_a_search_the_ends_are_known_before(orders_per_s):
    mix = {"requests_per_s_per_connection": 0.5, "orders_per_s_per_connection": orders_per_s}
    asked = profile("break", start=10, limit=200, mix=mix)
    planned = course_of(TARGET, DIALECT, asked, None)

    assert [10, 200] == [step.connections for step in planned.steps]
    assert (200, 100.0, 200 * orders_per_s) == (
        planned.most_connections,
        planned.most_requests_per_s,
        planned.most_orders_per_s,
    )


def test_without_any_bound_there_is_no_safe_load():
    with pytest.raises(PreflightError, match="no limit of the target is known"):
        course_of(TARGET, DIALECT, profile("safe"), None)


@pytest.mark.parametrize(
    ("mix", "can_poll"),
    [
        ({"requests_per_s_per_connection": 0.0}, False),
        ({"requests_per_s_per_connection": 0.1}, True),
    ],
)
def test_polls_can_be_left_out_where_there_are_some(mix, can_poll):
    planned = course_of(TARGET, DIALECT, profile("safe", connections=400, mix=mix), None)

    assert can_poll is planned.experiment.factors.can_poll


@pytest.mark.parametrize(
    ("per_client", "asked", "users"), [(2, 1, 2), (2, 2, 2), (2, 3, 4), (3, 7, 9), (1, 7, 7)]
)
def test_a_user_holds_the_connections_of_whole_clients(per_client, asked, users):
    given = profile("ramp", levels=[10], connections_per_user=asked)
    private = Private.model_construct(connections_per_client=per_client)
    target = TARGET.model_copy(update={"private": private})

    assert users == whole_clients(given, target).connections_per_user
    assert given == whole_clients(given, TARGET)


def test_the_busiest_step_has_the_connections_and_polls_of_whole_users():
    polled = {"requests_per_s_per_connection": 0.5}
    for kind, changes in (("ramp", {"levels": [5, 25]}), ("break", {"start": 5, "limit": 25})):
        asked = profile(kind, **changes, mix=polled, connections_per_user=10)
        planned = course_of(TARGET, DIALECT, asked, None)

        assert (30, 15.0) == (planned.most_connections, planned.most_requests_per_s)


@pytest.mark.parametrize(
    ("admitted", "most", "opened"), [(36, 9, 10), (40, 10, 10), (76, 10, 10), (80, 20, 20)]
)
def test_a_climb_stays_within_a_quarter_with_whole_users_where_one_does(admitted, most, opened):
    asked = profile(
        "safe",
        connections=admitted,
        connections_per_user=10,
        mix={"requests_per_s_per_connection": 0.0},
    )
    planned = course_of(TARGET, DIALECT, asked, None)

    assert (most, opened) == (planned.rules.most, planned.most_connections)
