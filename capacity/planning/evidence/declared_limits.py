"""Limits that the operator states in the target file, because no agent can read them."""

from collections.abc import Mapping
from typing import Any

from capacity.domain.resources import Limit, LimitState, Resource


def admitted_per_s(target: Mapping[str, Any]) -> float | None:
    """Return the rate of `arrival_limit` of a target file as recorded, None where there is none."""
    declared = target.get("arrival_limit")
    return None if declared is None else float(declared["value"])


def declared_limits(target: Mapping[str, Any]) -> tuple[Limit, ...]:
    """Return the `limits` section of a target file as recorded: resource -> value and source."""
    return tuple(
        Limit(
            resource=Resource(resource),
            state=LimitState.KNOWN,
            value=float(declared["value"]),
            scope="declared",
            source=str(declared["source"]),
        )
        for resource, declared in (target.get("limits") or {}).items()
    )
