"""What a worker is told, as plain msgpack data: of the run once, and of each stage its share."""

from dataclasses import asdict
from typing import Any

from capacity.domain.load import LoadStep
from capacity.loadgen.fleet import Orders
from capacity.loadgen.preflight import Preflight
from capacity.settings import dialect as dialect_settings
from capacity.settings.profile import Profile
from capacity.settings.target import Target
from capacity.workload.profile import Position


def orders_of(target: Target, profile: Profile, preflight: Preflight) -> dict[str, Any]:
    offset = preflight.clock_offset
    orders = Orders(
        target=target.model_dump(mode="json"),
        dialect=dialect_settings.dump(preflight.dialect),
        connections_per_user=profile.connections_per_user,
        arrivals=profile.arrivals,
        poll_interval_s=profile.poll_interval_s,
        clock_offset_s=offset.offset_s if offset else 0.0,
        subscriptions_by_address=profile.mix.subscriptions_per_connection,
        slow_readers_ratio=profile.mix.slow_readers_ratio,
        slow_read_bytes_per_s=profile.mix.slow_read_bytes_per_s,
    )
    return asdict(orders)


def stage_of(position: Position, step: LoadStep, shares: int) -> dict[str, Any]:
    """Return the part of one of *shares* workers in a phase of *step*."""
    return {
        "index": position.index,
        "phase": position.phase.value,
        "subscriptions_per_connection": step.subscriptions_per_connection,
        "requests_per_s": step.requests_per_s / shares,
        "connects_per_s": step.connects_per_s / shares,
        "churn_per_s": step.churn_per_s / shares,
    }
