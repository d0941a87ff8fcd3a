"""What the history keeps of one scheduled run, and what it takes from manifest and plan for it."""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from capacity.domain.plan import CapacityPlan
from capacity.domain.resource_facts import UNITS
from capacity.domain.run import RunManifest


class Outcome(StrEnum):
    PLAN = "plan"
    EXCUSE = "excuse"
    FAILED = "failed"
    """No answer at all: the target was away, a guard stopped the run, time was up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryRow:
    """One scheduled run. Times are epoch seconds; what a failed run never learnt is None."""

    run: str
    job: str
    target: str
    profile: str
    planned_at: float | None
    """When the scheduler meant it to start; None if the scheduler does not say."""
    started_at: float
    finished_at: float
    outcome: Outcome
    capacity_low_connections: float | None = None
    capacity_mid_connections: float | None = None
    capacity_high_connections: float | None = None
    safe_capacity_connections: int | None = None
    binding: str | None = None
    extrapolation_ratio: float | None = None
    fingerprint: str | None = None
    """Equal for runs that may be compared: fingerprint_of the manifest."""
    reason: str | None = None
    """Why there is no plan, or what failed after it; None if all went well."""
    unit_costs: Mapping[str, Any] | None = None
    """Resource -> its unit, costs and limit (unit_costs_of the plan)."""
    environment: Mapping[str, Any] | None = None
    """What it ran on (environment_of the manifest); rows of version 0.1 have none."""


def fingerprint_of(manifest: RunManifest) -> str:
    """Return equal text for runs that may be compared: same target, profile, host, versions."""
    agent = manifest.agent
    compared = {
        # Declared limits are compared themselves: a change of one is what a history must notice.
        "target": {**manifest.target.document, "limits": {}},
        "profile": manifest.profile,
        "host": None if agent is None else [agent.host, agent.cores, agent.memory_bytes],
        "versions": [
            manifest.product_version,
            None if agent is None else agent.agent_version,
            manifest.generator.get("versions"),
        ],
    }
    text = json.dumps(compared, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def environment_of(manifest: RunManifest) -> dict[str, Any]:
    """Return what a fingerprint is made of in words: host, kernel, cores, memory, versions."""
    agent = manifest.agent
    host = (
        {}
        if agent is None
        else {
            "host": agent.host,
            "kernel": agent.kernel,
            "cores": agent.cores,
            "memory_bytes": agent.memory_bytes,
            "agent_version": agent.agent_version,
        }
    )
    return {
        **host,
        "product_version": manifest.product_version,
        "generator_versions": manifest.generator.get("versions"),
    }


def unit_costs_of(plan: CapacityPlan) -> dict[str, Any]:
    """Return resource -> unit, limit, ceiling, baseline, and added use per connection and each rate."""
    found = {
        wall.resource.value: {
            "unit": UNITS[wall.resource],
            "limit": None if wall.limit.scope == "met" else wall.limit.value,
            "limit_source": wall.limit.source,
            "ceiling": wall.ceiling.mid,
            "per_connection_along_mix": wall.cost.marginal_along(plan.mix),
            "baseline": asdict(wall.cost.baseline),
            "per_connection": asdict(wall.cost.per_connection),
            "per_delivery_per_s": asdict(wall.cost.per_delivery_per_s),
            "per_request_per_s": asdict(wall.cost.per_request_per_s),
            "per_handshake_per_s": asdict(wall.cost.per_handshake_per_s),
        }
        for wall in plan.ladder
    }
    return {resource: _finite(entry) for resource, entry in found.items()}


def _finite(value: Any) -> Any:
    """Return *value* without infinities, which no database's JSON has: None in their place."""
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value
