"""The steps of a scenario."""

from dataclasses import replace

import pytest

from capacity.domain.errors import PreflightError
from capacity.loadgen.checks.planned.scenario import check_subscriptions, sequence_steps
from capacity.settings.dialect import load_dialect
from capacity.settings.locate import find
from capacity.settings.profile import SequenceProfile
from capacity.workload.profiles.profile import Mix, Pace

MIX = Mix(subscriptions_per_connection=2, requests_per_s_per_connection=0.1, poll_interval_s=1.0)
PACE = Pace(connects_per_s=50.0, ramp_timeout_s=9.0, settle_s=1.0, plateau_s=5.0)
DERIBIT = load_dialect(find("dialects", "deribit"))


def profile(*steps):
    return SequenceProfile.model_validate(
        {"profile": 1, "name": "p", "kind": "sequence", "steps": steps}
    )


def steps(*given, can_poll=True):
    return sequence_steps(profile(*given), MIX, PACE, can_poll=can_poll)


def test_steps_go_up_and_down_after_a_baseline_without_load():
    found = steps({"connections": 10}, {"connections": 30}, {"connections": 5})

    assert [(0, False), (10, True), (30, True), (5, True)] == [
        (step.connections, step.is_mix) for step in found
    ]
    assert [1.0, 3.0] == [step.requests_per_s for step in found[1:3]]


def test_what_a_step_has_of_its_own_is_no_mix():
    (_, one, two) = steps(
        {"connections": 10, "subscriptions_per_connection": 20, "plateau_s": 60},
        {"connections": 10, "churn_per_s_per_connection": 0.5, "connects_per_s": 7},
    )

    assert (20, 60.0, False) == (one.subscriptions_per_connection, one.plateau_s, one.is_mix)
    assert (5.0, 7.0, 5.0) == (two.churn_per_s, two.connects_per_s, two.plateau_s)


def test_without_rest_nothing_is_polled_in_any_step():
    found = steps({"connections": 10, "requests_per_s_per_connection": 2}, can_poll=False)

    assert [0.0, 0.0] == [step.requests_per_s for step in found]


def test_fewer_channels_need_an_unsubscribe():
    fewer = profile(
        {"connections": 1, "subscriptions_per_connection": 4},
        {"connections": 1, "subscriptions_per_connection": 2},
    )
    made = sequence_steps(fewer, MIX, PACE, can_poll=False)
    check_subscriptions(fewer, DERIBIT, made)

    with pytest.raises(PreflightError, match="changes what connections follow"):
        check_subscriptions(fewer, replace(DERIBIT, unsubscribe=None), made)


def test_the_same_channels_in_all_steps_need_neither():
    same = profile({"connections": 1}, {"connections": 3})
    made = sequence_steps(same, MIX, PACE, can_poll=False)
    check_subscriptions(same, replace(DERIBIT, subscribe=None, unsubscribe=None), made)


def test_more_channels_need_a_subscribe_alone():
    more = profile({"connections": 1}, {"connections": 1, "subscriptions_per_connection": 4})
    made = sequence_steps(more, MIX, PACE, can_poll=False)
    check_subscriptions(more, replace(DERIBIT, unsubscribe=None), made)

    with pytest.raises(PreflightError):
        check_subscriptions(more, replace(DERIBIT, subscribe=None, unsubscribe=None), made)
