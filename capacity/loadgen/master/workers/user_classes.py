"""Which of Locust's user classes take part in a run, and what they bring to its mix.

The classes that hold connections share them by their weights. Who reads slowly, churns or trades is
part of the mix, so that picking a class means what setting the profile's mix means.
"""

from locust import User

from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum

from capacity.domain.errors import ConfigError
from capacity.settings.profile import Profile, ProfileMix


@dataclass(frozen=True, slots=True, kw_only=True)
class UserClasses:
    classes: tuple[type[User], ...]
    profile: Profile
    """The profile with what the classes bring to its mix."""
    slow_readers_ratio: float
    """Among the users of classes that do not all read slowly."""
    has_slow_class: bool


def picked_classes(
    classes: Sequence[type[User]], picked: Sequence[str], profile: Profile
) -> UserClasses:
    """Return who takes part: the *picked* classes, or the default ones where none or all are picked.

    Raises ConfigError for a name that is no class, and where nobody would hold connections.
    """
    names = [each.__name__ for each in classes]
    unknown = [name for name in picked if name not in names]
    if unknown:
        raise ConfigError(
            f"users: there is no class {unknown[0]} in locustfiles/; there are {', '.join(sorted(names))}"
        )
    is_choice = bool(picked) and set(picked) != set(names)
    chosen = tuple(
        each
        for each in classes
        if (each.__name__ in picked if is_choice else getattr(each, "by_default", True))
    )
    holders = [each for each in chosen if each.weight > 0]
    if not holders:
        able = sorted(each.__name__ for each in classes if each.weight > 0)
        raise ConfigError(
            f"users: none of {', '.join(picked or names) or 'no classes'} holds the connections of the steps; pick one of"
            f" {', '.join(able)} as well"
        )
    mix = _mix(profile, chosen, holders, is_choice=is_choice)
    changes: dict[str, object] = {"mix": mix}
    rate_per_s = mix.orders_per_s_per_connection
    if rate_per_s and any(getattr(each, "trades", False) for each in holders):
        changes["order_interval_s"] = 1.0 / rate_per_s  # Each of them trades, not a few for all.
    return UserClasses(
        classes=chosen,
        profile=profile.model_copy(update=changes),
        slow_readers_ratio=profile.mix.slow_readers_ratio,
        has_slow_class=any(getattr(each, "reads_slowly", False) for each in holders),
    )


def _mix(
    profile: Profile,
    chosen: Sequence[type[User]],
    holders: Sequence[type[User]],
    *,
    is_choice: bool,
) -> ProfileMix:
    mix = profile.mix
    weights = fsum(each.weight for each in holders)
    slow = fsum(each.weight for each in holders if getattr(each, "reads_slowly", False)) / weights
    churn = fsum(each.weight * getattr(each, "churn_per_s", 0.0) for each in holders) / weights
    rates = {getattr(each, "rate", None) for each in chosen}
    traders = [each for each in chosen if hasattr(each, "orders_per_s_per_connection")]
    orders_per_s = mix.orders_per_s_per_connection
    if is_choice:
        picked = [each.orders_per_s_per_connection for each in traders]
        orders_per_s = (orders_per_s or max(picked)) if picked else 0.0
    return mix.model_copy(
        update={
            "slow_readers_ratio": slow + (1.0 - slow) * mix.slow_readers_ratio,
            "churn_per_s_per_connection": mix.churn_per_s_per_connection + churn,
            "orders_per_s_per_connection": orders_per_s,
            "requests_per_s_per_connection": mix.requests_per_s_per_connection
            if "requests_per_s" in rates or not is_choice
            else 0.0,
        }
    )
