"""Loads whose requests or churn keep to a pace: what cannot be done in time is refused or bounded."""

from dataclasses import replace

import pytest

from capacity.domain.errors import ConfigError, PreflightError
from capacity.loadgen.checks.planned.planned_load import course_of
from capacity.settings.dialect import load_dialect
from capacity.settings.locate import find
from capacity.settings.profile import ADAPTER
from capacity.settings.target import load_target
from capacity.workload.profiles.pacing import PACING_MARGIN
from capacity.workload.profiles.request_rate import SPARE_RATIO

TARGET = load_target(find("targets", "demo"))
DIALECT = load_dialect(find("dialects", TARGET.dialect))


def profile(kind, **changes):
    return ADAPTER.validate_python({"profile": 1, "name": "p", "kind": kind, **changes})


@pytest.mark.parametrize(("connections", "is_possible"), [(160, True), (161, False)])
@pytest.mark.parametrize(
    "described",
    [
        {"kind": "ramp", "levels": [10]},
        {"kind": "sequence", "steps": [{"connections": 10}]},
        {"kind": "break", "start": 1, "limit": 10},
    ],
    ids=["ramp", "sequence", "break"],
)
def test_more_churn_than_four_fifths_of_the_connect_rate_is_refused(
    described, connections, is_possible
):
    highest = {
        "ramp": {"levels": [connections]},
        "sequence": {"steps": [{"connections": connections}]},
        "break": {"limit": connections},
    }[described["kind"]]
    asked = profile(
        **{**described, **highest}, connects_per_s=20, mix={"churn_per_s_per_connection": 0.1}
    )
    if is_possible:
        assert connections == course_of(TARGET, DIALECT, asked, None).most_connections
        return
    with pytest.raises(ConfigError, match=r"replace 16.1 of its 161 .* set connects_per_s to 21"):
        course_of(TARGET, DIALECT, asked, None)


@pytest.mark.parametrize(("admitted", "most"), [(640, 160), (644, 160)])
def test_a_climb_ends_where_its_mix_replaces_what_the_connect_rate_allows(admitted, most):
    mix = {"churn_per_s_per_connection": 0.1, "requests_per_s_per_connection": 0}
    safe = profile("safe", connections=admitted, connects_per_s=20, mix=mix)
    planned = course_of(TARGET, DIALECT, safe, None)

    assert most == planned.rules.most
    assert ("connects_per_s 20" in planned.rules.most_by) == (admitted > 640)


def test_churn_that_only_tells_what_a_handshake_costs_stays_within_the_connect_rate():
    safe = profile(
        "safe",
        connections=4000,
        connects_per_s=20,
        churn_per_s_per_connection=0.1,
        steps_per_level=4,
    )
    experiment = course_of(TARGET, DIALECT, safe, None).experiment

    for connections, churn_per_s in ((159, 15.9), (161, 16.0)):
        steps = experiment.level(connections, [experiment.baseline()])
        assert pytest.approx(churn_per_s) == max(step.churn_per_s for step in steps)


PACED = replace(
    DIALECT,
    ws=replace(DIALECT.ws, total_requests_per_s=2 * PACING_MARGIN * SPARE_RATIO),
    heartbeat=(),
)


@pytest.mark.parametrize(("connections", "is_possible"), [(75, True), (76, False)])
@pytest.mark.parametrize(
    "described",
    [
        lambda most: {"kind": "ramp", "levels": [most]},
        lambda most: {"kind": "sequence", "steps": [{"connections": most}]},
        lambda most: {"kind": "break", "start": most, "limit": 2 * most, "growth": 1.5},
    ],
    ids=["ramp", "sequence", "break"],
)
def test_a_ramp_that_cannot_subscribe_in_time_is_refused_with_the_number_that_works(
    described, connections, is_possible
):
    def asked(timeout_s):
        return profile(**described(connections), connects_per_s=10, ramp_timeout_s=timeout_s)

    assert course_of(TARGET, PACED, asked(31), None)
    if is_possible:
        assert course_of(TARGET, PACED, asked(30), None)
        return
    with pytest.raises(
        PreflightError, match=r"set ramp_timeout_s to 31, or ws.total_requests_per_s to 2.4"
    ):
        course_of(TARGET, PACED, asked(30), None)


@pytest.mark.parametrize(
    "described", [{"kind": "ramp", "levels": [10]}, {"kind": "safe", "connections": 40}]
)
def test_a_storm_whose_clients_wait_for_our_own_pace_is_refused(described):
    drilled = profile(**described, connects_per_s=10, settle_s=5, storm={})

    assert course_of(TARGET, DIALECT, drilled, None)
    with pytest.raises(ConfigError, match=r"our own requests wait, .*\(ws\.total_requests_per_s\)"):
        course_of(TARGET, PACED, drilled, None)


def test_each_step_of_a_search_is_opened_from_the_one_before():
    search = {"kind": "break", "start": 75, "limit": 225, "connects_per_s": 10}

    assert course_of(TARGET, PACED, profile(**search, growth=1.5), None)
    with pytest.raises(PreflightError, match=r"ws\.total_requests_per_s"):
        course_of(TARGET, PACED, profile(**search, growth=1.6), None)


@pytest.mark.parametrize(("admitted", "most"), [(40, 10), (48, 10)])
def test_a_climb_ends_where_its_connections_can_change_what_they_follow_in_time(admitted, most):
    mix = {"requests_per_s_per_connection": 0}
    safe = profile("safe", connections=admitted, connects_per_s=10, settle_s=5, mix=mix)
    rules = course_of(TARGET, PACED, safe, None).rules

    assert most == rules.most
    assert ("ws.total_requests_per_s 2.31" in rules.most_by) == (admitted > 40)


def test_a_climb_on_which_not_even_one_connection_can_change_in_time_is_refused():
    def asked(settle_s):
        mix = {"requests_per_s_per_connection": 0}
        safe = profile("safe", connections=48, connects_per_s=10, settle_s=settle_s, mix=mix)
        return course_of(TARGET, PACED, safe, None)

    assert 1 == asked(0.5).rules.most
    with pytest.raises(PreflightError, match=r"1 connection take 500 ms .* set settle_s to 1"):
        asked(0.4)


@pytest.mark.parametrize(("timeout_s", "start"), [(4.0, 10), (3.6, 9)])
def test_a_climb_begins_with_as_many_as_can_subscribe_in_time(timeout_s, start):
    safe = profile(
        "safe", connections=400, start=20, connects_per_s=10, settle_s=60, ramp_timeout_s=timeout_s
    )

    assert start == course_of(TARGET, PACED, safe, None).rules.start


def test_a_dialect_that_names_its_channels_in_the_address_has_nothing_to_ask_for():
    silent = replace(PACED, subscribe=None, unsubscribe=None)
    unpaced = replace(silent, ws=DIALECT.ws)

    assert course_of(TARGET, silent, profile("ramp", levels=[5000]), None).rules is None
    safe = profile("safe", connections=4000)

    assert course_of(TARGET, silent, safe, None) == course_of(TARGET, unpaced, safe, None)


def test_a_climb_has_a_connection_even_where_it_cannot_subscribe_while_it_opens():
    """It follows its channels later, once it is open."""
    slow = replace(PACED, ws=replace(PACED.ws, total_requests_per_s=0.01))
    safe = profile("safe", connections=48, connects_per_s=10, settle_s=900, ramp_timeout_s=1)

    assert 1 == course_of(TARGET, slow, safe, None).rules.most


@pytest.mark.parametrize(("growth", "most"), [(2.0, 20), (1.25, 50)])
def test_a_climb_ends_where_the_connections_of_its_last_level_can_subscribe_in_time(growth, most):
    """Ten at a time, where nothing can be unsubscribed: a half of the last level, or a fifth of it."""
    timed = {"connects_per_s": 10, "settle_s": 60, "ramp_timeout_s": 4.0}
    safe = profile("safe", connections=4000, start=5, growth=growth, **timed)

    assert most == course_of(TARGET, replace(PACED, unsubscribe=None), safe, None).rules.most


@pytest.mark.parametrize(("churn_per_s", "most"), [(0.26, 3), (0.4, 2), (0.8, 1), (1.0, 1)])
def test_a_climb_has_a_connection_however_often_it_is_replaced(churn_per_s, most):
    mix = {"churn_per_s_per_connection": churn_per_s, "requests_per_s_per_connection": 0}
    safe = profile("safe", connections=4000, connects_per_s=1, mix=mix)

    assert most == course_of(TARGET, DIALECT, safe, None).rules.most
