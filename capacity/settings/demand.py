"""config/demand/*.yaml: the connections to be served, their growth, and the reserves wanted."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, Field, TypeAdapter

from capacity.domain.answers.sizing import Demand, HostType
from capacity.domain.answers.storm_drill import Retry
from capacity.domain.estimates import Estimate
from capacity.settings.yaml_files.models import RULES, Name
from capacity.settings.yaml_files.yaml_file import Finding, load
from capacity.workload.reconnect import ReconnectPolicy, waits_s

GROWTH_CONFIDENCE = 0.9

Seconds = Annotated[float, Field(gt=0, le=86_400)]
Rate = Annotated[float, Field(ge=0, le=1e6)]


class DemandMix(BaseModel):
    model_config = RULES
    deliveries_per_s: Rate | None = None
    """Updates a second that one connection receives; null: as the run measured."""
    requests_per_s: Rate | None = None
    """REST requests a second that come with one connection; null: as the run measured."""


class Reconnecting(BaseModel):
    model_config = RULES
    policy: Literal["immediate", "fixed", "exponential", "full_jitter"] = "exponential"
    """How the clients' wait before they dial again grows; only full_jitter spreads them."""
    base_s: Annotated[float, Field(ge=0, le=86_400)] = 1.0
    """First wait in seconds."""
    factor: Annotated[float, Field(ge=1, le=100)] = 2.0
    """Growth of the wait with each failed attempt."""
    cap_s: Seconds = 60.0
    """Longest wait in seconds."""
    handshake_timeout_s: Seconds = 10.0
    """Time in seconds after which a client abandons a handshake."""
    window_s: Annotated[float, Field(gt=0, le=86_400)] | None = None
    """Time in seconds over which clients spread their first attempt, where that is known."""


class DemandFile(BaseModel):
    model_config = RULES
    demand: Literal[1]
    """Version of this file format."""
    name: Name
    """Name of the demand in reports; letters, digits, dot, dash, underscore."""
    connections: Annotated[float, Field(gt=0, le=1e12)]
    """Connections at peak, over all instances."""
    as_of: date
    """Day of that peak, as YYYY-MM-DD; growth counts from it."""
    size_for: date | None = None
    """Day on which the instances must suffice; null: at the peak given."""
    growth_per_month: Annotated[float, Field(gt=-1, le=100)] | None = None
    """Growth of the peak in a month, as a ratio: 0.05 is 5 %; null: not known."""
    growth_uncertainty: Annotated[float, Field(ge=0, le=100)] = 0.0
    """Half the width of the growth's 90 % interval: 0.02 with 0.05 is 3 to 7 %."""
    mix: DemandMix = DemandMix()
    """Workload per connection, where it differs from what the run measured."""
    headroom: Annotated[float, Field(ge=0, lt=1)] = 0.2
    """Share of the safe capacity to keep free."""
    lost_instances: Annotated[int, Field(ge=0, le=100_000)] = 1
    """Instances that may be lost, in addition to lost zones, with all clients still served."""
    zones: Annotated[int, Field(ge=1, le=100)] = 1
    """Zones that the instances are spread over evenly."""
    lost_zones: Annotated[int, Field(ge=0, le=99)] = 0
    """Zones that may be lost with all clients still served."""
    host: str | None = None
    """Host type of the present instances, from the catalogue; null: as tested."""
    instances: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    """Present number of instances, for the exhaustion date; null: as sized."""
    reconnecting: Reconnecting = Reconnecting()
    """Retry behaviour of clients that lost their connection."""


ADAPTER = TypeAdapter(DemandFile)


def load_demand(path: Path, hosts: Sequence[HostType] = ()) -> Demand:
    """Return the demand in *path*; a host that it names is one of *hosts*. Raises ConfigError."""
    file = load(path, ADAPTER, lambda read: _findings(read, [host.name for host in hosts]))
    clients = file.reconnecting
    growth = file.growth_per_month
    return Demand(
        name=file.name,
        connections=file.connections,
        as_of_at=_at(file.as_of),
        size_for_at=None if file.size_for is None else _at(file.size_for),
        growth_per_month=None
        if growth is None
        else Estimate(
            low=growth - file.growth_uncertainty,
            mid=growth,
            high=growth + file.growth_uncertainty,
            confidence=GROWTH_CONFIDENCE,
        ),
        deliveries_per_s=file.mix.deliveries_per_s,
        requests_per_s=file.mix.requests_per_s,
        headroom_ratio=file.headroom,
        lost_instances=file.lost_instances,
        zones=file.zones,
        lost_zones=file.lost_zones,
        host=file.host,
        instances=file.instances,
        retry=Retry(policy=clients.policy, waits_s=_waits_s(clients)),
        handshake_timeout_s=clients.handshake_timeout_s,
        reconnect_window_s=clients.window_s,
    )


def _findings(file: DemandFile, hosts: Sequence[str]) -> Iterator[Finding]:
    growth, uncertainty = file.growth_per_month, file.growth_uncertainty
    if growth is not None and growth - uncertainty <= -1:
        yield (
            ("growth_uncertainty",),
            (
                f"must be lower than growth_per_month + 1, {growth + 1:g} (got {uncertainty:g}):"
                " nothing shrinks by more than 100 %"
            ),
        )
    if file.lost_zones >= file.zones:
        yield (
            ("lost_zones",),
            f"must be lower than zones, {file.zones} (got {file.lost_zones})",
        )
    if file.size_for is not None and file.size_for < file.as_of:
        yield ("size_for",), f"must not be before as_of, {file.as_of} (got {file.size_for})"
    if file.size_for is not None and growth is None and file.size_for != file.as_of:
        yield ("size_for",), "needs growth_per_month: without it the demand of that day is unknown"
    if file.instances is not None and file.instances % file.zones:
        yield (
            ("instances",),
            (
                f"must be a multiple of zones, {file.zones} (got {file.instances}):"
                " they are spread evenly"
            ),
        )
    if file.host is not None and file.host not in hosts:
        close = get_close_matches(file.host, hosts, n=1)
        hint = f"did you mean {close[0]}?" if close else f"known: {', '.join(hosts) or 'none'};"
        advice = "" if hosts else " give a catalogue with --hosts"
        yield ("host",), f"no such host type in the catalogue; {hint}{advice} (got {file.host})"


def _at(day: date) -> float:
    return datetime.combine(day, time(), UTC).timestamp()


def _waits_s(clients: Reconnecting) -> tuple[tuple[float, float], ...]:
    return waits_s(
        ReconnectPolicy(
            policy=clients.policy, base_s=clients.base_s, factor=clients.factor, cap_s=clients.cap_s
        )
    )
