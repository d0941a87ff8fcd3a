"""The steps of a scenario: a profile of kind sequence."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from capacity.domain.errors import PreflightError
from capacity.domain.load import LoadStep
from capacity.settings.profile import ProfileStep, SequenceProfile
from capacity.workload.dialects.dialect import Dialect
from capacity.workload.profiles.experiment import possible_mix
from capacity.workload.profiles.profile import Mix, Pace, mixed_step

_OF_MIX = (
    "subscriptions_per_connection",
    "requests_per_s_per_connection",
    "churn_per_s_per_connection",
)
_OF_PACE = ("connects_per_s", "settle_s", "plateau_s")


def sequence_steps(
    profile: SequenceProfile, mix: Mix, pace: Pace, *, can_poll: bool
) -> tuple[LoadStep, ...]:
    """Return a baseline without load, then the steps; those with a load of their own are no mix."""
    baseline = replace(mixed_step(0, mix, pace), is_mix=False)
    return (baseline, *(_step(step, mix, pace, can_poll=can_poll) for step in profile.steps))


def _step(step: ProfileStep, mix: Mix, pace: Pace, *, can_poll: bool) -> LoadStep:
    own_mix = possible_mix(replace(mix, **_given(step, _OF_MIX)), can_poll=can_poll)
    made = mixed_step(step.connections, own_mix, replace(pace, **_given(step, _OF_PACE)))
    return replace(made, is_mix=own_mix == mix and step.connections > 0)


def _given(step: ProfileStep, keys: Sequence[str]) -> dict[str, Any]:
    return {key: value for key in keys if (value := getattr(step, key)) is not None}


def check_subscriptions(
    profile: SequenceProfile, dialect: Dialect, steps: Sequence[LoadStep]
) -> None:
    """Raise PreflightError where connections are to follow fewer channels and cannot."""
    counts = [step.subscriptions_per_connection for step in steps]
    changes = any(before != after for before, after in pairwise(counts))
    fewer = any(before > after for before, after in pairwise(counts))
    if (fewer and dialect.unsubscribe is None) or (changes and dialect.subscribe is None):
        raise PreflightError(
            f"profile {profile.name} changes what connections follow from step to step, which dialect"
            f" {dialect.name} has no subscribe and unsubscribe for; give both in the dialect, or the same"
            " subscriptions_per_connection in all steps of the profile"
        )
