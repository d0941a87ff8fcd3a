"""What a worker has to know of a run before its first stage, as plain msgpack data."""

from typing import Any

from capacity.loadgen.preflight import Preflight
from capacity.settings import dialect as dialect_settings
from capacity.settings.profile import Profile
from capacity.settings.target import Target


def orders_of(target: Target, profile: Profile, preflight: Preflight) -> dict[str, Any]:
    offset = preflight.clock_offset
    return {
        "target": target.model_dump(mode="json"),
        "dialect": dialect_settings.dump(preflight.dialect),
        "connections_per_user": profile.connections_per_user,
        "arrivals": profile.arrivals,
        "poll_interval_s": profile.poll_interval_s,
        "clock_offset_s": offset.offset_s if offset else 0.0,
        "subscriptions_by_address": profile.mix.subscriptions_per_connection,
    }
