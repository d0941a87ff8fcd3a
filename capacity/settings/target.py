"""config/targets/*.yaml: the system under test and what of it is loaded."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, Field, TypeAdapter, field_validator

from capacity.domain.errors import ConfigError
from capacity.domain.resource_facts import LATENCIES
from capacity.domain.resources import Resource
from capacity.domain.target import TargetSpec, declared
from capacity.settings.agent import Agent, agent_findings
from capacity.settings.dialect import load_dialect
from capacity.settings.dialects.headers import OF_HANDSHAKE, OF_REQUEST, header_findings
from capacity.settings.http_origin import Host, HttpOrigin, Port
from capacity.settings.locate import beside, beside_if_path, find
from capacity.settings.order_entry import Orders, anchored_orders, order_findings
from capacity.settings.secrets import HIDDEN, anchored
from capacity.settings.targets.certificates import Certificates, certificate_findings
from capacity.settings.targets.named_channels import channel_findings
from capacity.settings.targets.private import Private, anchored_private, private_findings
from capacity.settings.targets.slo import Slo
from capacity.settings.targets.source_addresses import Network, address_findings
from capacity.settings.values import Value, anchored_values, value_findings
from capacity.settings.yaml_files.models import RULES, Name
from capacity.settings.yaml_files.yaml_file import Finding, load
from capacity.workload.dialects.dialect import Dialect
from capacity.workload.dialects.endpoints import Secret


class DeclaredLimit(BaseModel):
    model_config = RULES
    value: Annotated[float, Field(gt=0)]
    """The limit, in the resource's unit."""
    source: str
    """Where this is known from: the configuration entry, the data sheet."""


class ArrivalLimit(BaseModel):
    model_config = RULES
    value: Annotated[float, Field(gt=0)]
    """Connections per second."""
    source: str
    """Where this is known from: limit_req in nginx.conf, the gateway's quota."""


class Rest(BaseModel):
    model_config = RULES
    operation: str
    """What pollers ask for: a name from the dialect's rest section."""
    connections: Literal["keep_alive", "new"] = "keep_alive"
    """keep_alive: each poller keeps its connection from poll to poll; new: it opens one for every
    poll, asks the target to close it, and has look-up, TCP and TLS in the request latency."""
    conditional: bool = False
    """Send back the ETag and the Last-Modified of the answer before, so that a target that has
    nothing newer may answer 304 without a body; such answers count as requests, and apart."""
    total_weight_per_s: Annotated[float, Field(gt=0)] | None = None
    """Most weight of all requests of a run by REST in a second, in place of http.total_weight_per_s of the dialects."""


class Target(BaseModel):
    model_config = RULES
    target: Literal[1]
    """Version of this file format."""
    name: Name
    """Name of the target in reports and history; letters, digits, dot, dash, underscore."""
    host: Host
    """Host name or address; IPv6 without brackets."""
    port: Port
    """TCP port of its WebSocket endpoint, and of REST where http does not say otherwise."""
    tls: bool = False
    """Speak wss and https; the target's certificate is always checked."""
    http: HttpOrigin | None = None
    """Where REST is served apart from the WebSocket: what {scheme}, {host} and {port} in http.base of
    the dialect stand for. The agent sees what requests cost only where it watches that server too."""
    proxy: str | None = None
    """HTTP proxy between the generator and the target, such as http://10.0.0.9:3128, that connects
    them (CONNECT); proxies that the environment names are not used."""
    certificates: Certificates | None = None
    """For TLS, where the system's authorities and host are not enough. Files are named relative to
    this file, on every host of the generator."""
    dialect: str
    """Name of the dialect that the target speaks, or its path relative to this file."""
    symbols: tuple[str, ...] = ()
    """What {symbol} in the dialect's channels and requests stands for, one after the other."""
    headers: dict[str, str | Secret] = Field(default_factory=dict)
    """Headers of the handshake and of every REST request, before those of the dialect; each in place
    of what would be sent by itself, such as Host. A text, or {file: PATH} or {env: NAME}."""
    values: dict[str, str | Value] = Field(default_factory=dict)
    """What the dialect `needs`: a text, or file, env, rows or operation. Neither a run nor any output
    shows them."""
    channels: Annotated[tuple[str, ...], Field(min_length=1)]
    """Logical channel names. Connection i follows its n subscriptions from the i-th entry of the
    product channels × symbols on (symbols run fastest), so that the load spreads over them all."""
    agent: Agent | None = None
    """Source of the target's limits and resource usage: exactly one of url, listen, prometheus, exporters
    and local; without it there is no plan, unless samples are attached to the run afterwards."""
    limits: dict[Resource, DeclaredLimit] = Field(default_factory=dict)
    """Limits that no agent can read, by resource; application_connections above all."""
    arrival_limit: ArrivalLimit | None = None
    """Rate at which the target, or what stands before it, admits new connections; those that come
    faster are refused. A reconnect storm takes at least as long as that."""
    slo: Slo | None = None
    """Service level objectives: how slow the target may be. Each can be the bottleneck, like any resource."""
    rest: Rest | None = None
    """What pollers request; without it nothing is polled."""
    orders: Orders | None = None
    """How traders place, amend and cancel orders; without it nobody trades."""
    private: Private | None = None
    """The connection that each client logs in on, beside its public ones: own orders, own balances.
    Connections of a run are of both kinds, in that share."""
    source_addresses: tuple[Network, ...] = ()
    """IP addresses of the load generator's own host, or networks such as 127.0.1.0/28, that its
    connections leave from in turn: each has ports for some 28,000 connections to one target."""

    def spec(self) -> TargetSpec:
        """Return what a run keeps of this file, and a plan is made by."""
        return TargetSpec(
            name=self.name,
            host=self.host,
            port=self.port,
            limits=tuple(
                declared(resource, limit.value, limit.source)
                for resource, limit in self.limits.items()
            ),
            arrival_limit_per_s=None if self.arrival_limit is None else self.arrival_limit.value,
            objectives=() if self.slo is None else self.slo.objectives(),
            connections_per_client=self.connections_per_client,
            document=recorded(self),
        )

    @property
    def connections_per_client(self) -> int:
        """Return how many connections one client holds, the private one included."""
        return 1 if self.private is None else self.private.connections_per_client

    def privately(self) -> "Target":
        """Return the target as private connections meet it, which need nothing else of it.

        Raises ValueError where there are none.
        """
        if self.private is None:
            raise ValueError(f"target {self.name} has no private connections")
        own = self.private
        return self.model_copy(
            update={
                "dialect": own.dialect or self.dialect,
                "channels": own.channels or self.channels,
                "symbols": own.symbols or self.symbols,
                "values": {**self.values, **own.values},
                **dict.fromkeys(("private", "rest", "orders", "agent")),
            }
        )

    @field_validator("limits")
    @classmethod
    def _are_limits(cls, limits: dict[Resource, DeclaredLimit]) -> dict[Resource, DeclaredLimit]:
        if Resource.UNIDENTIFIED in limits:
            raise ValueError("must not hold unidentified: what limits it is declared by its name")
        objectives = sorted(LATENCIES & limits.keys())
        if objectives:
            raise ValueError(
                f"must not hold {objectives[0]}, which is an objective: give it in slo"
            )
        return limits

    @field_validator("proxy")
    @classmethod
    def _is_proxy(cls, url: str | None) -> str | None:
        if url is None:
            return None
        if "@" in url:
            raise ValueError("must not carry credentials; let the proxy know us by our address")
        if not re.fullmatch(r"http://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5}/?", url):
            raise ValueError(f"must be http://HOST:PORT (got {url[:80]!a})")
        if not 1 <= int(url.rstrip("/").rpartition(":")[2]) <= 65_535:
            raise ValueError(f"must have a port from 1 to 65535 (got {url!a})")
        return url.rstrip("/")

    def http_origin(self) -> tuple[str, int, bool]:
        """Return host, port and whether TLS of REST requests."""
        http = self.http or HttpOrigin()
        return (
            http.host if http.host is not None else self.host,
            http.port if http.port is not None else self.port,
            http.tls if http.tls is not None else self.tls,
        )


ADAPTER = TypeAdapter(Target)
Section = TypeVar("Section", bound=BaseModel)


def load_target(path: Path) -> Target:
    """Return the target in *path*, checked against its dialect. Raises ConfigError."""
    folder = path.parent
    target = load(path, ADAPTER, lambda read: _findings(_anchored(read, folder)))
    return _anchored(target, folder)


def recorded(target: Target) -> dict[str, Any]:
    """Return *target* as plain data, without what may be a secret."""
    data = target.model_dump(mode="json")
    for section in ("headers", "values"):
        if given := data.pop(section):
            data[section] = _hidden(given)
    if data["private"] is not None:
        data["private"]["values"] = _hidden(data["private"]["values"])
    else:
        del data["private"]
    if data.get("orders") is not None:
        data["orders"]["values"] = dict.fromkeys(data["orders"]["values"], HIDDEN)
    else:
        del data["orders"]
    return data


def _hidden(given: dict[str, Any]) -> dict[str, Any]:
    return {name: HIDDEN if isinstance(value, str) else value for name, value in given.items()}


def _anchored(target: Target, folder: Path) -> Target:
    """Return *target* with files that are named relative to the target file's *folder*."""
    changes: dict[str, Any] = {
        "dialect": beside_if_path(folder, target.dialect),
        "headers": anchored(target.headers, folder),
        "values": anchored_values(target.values, folder),
    }
    if target.orders is not None:
        changes["orders"] = anchored_orders(target.orders, folder)
    if target.private is not None:
        changes["private"] = anchored_private(target.private, folder)
    if target.certificates is not None:
        changes["certificates"] = _with_files_beside(target.certificates, folder)
    if target.agent is not None:
        agent = _with_files_beside(target.agent, folder)
        nested = {
            name: _with_files_beside(section, folder)
            for name in ("prometheus", "exporters")
            if (section := getattr(agent, name)) is not None
        }
        changes["agent"] = agent.model_copy(update=nested)
    return target.model_copy(update=changes)


def _with_files_beside(section: Section, folder: Path) -> Section:
    """Return *section* with the values of its keys ..._file relative to *folder*."""
    files = {
        name: beside(folder, file)
        for name in type(section).model_fields
        if name.endswith("_file") and (file := getattr(section, name)) is not None
    }
    return section.model_copy(update=files)


def _findings(target: Target) -> Iterator[Finding]:
    try:
        path = find("dialects", target.dialect)
    except ConfigError as error:
        yield ("dialect",), str(error)
        return
    dialect = load_dialect(path)
    yield from channel_findings(target.channels, target.symbols, dialect)
    yield from _listed_twice(target)
    yield from address_findings(target.source_addresses)
    yield from agent_findings(target.agent)
    yield from _header_findings(target, dialect)
    yield from value_findings(target.values, dialect, target.channels)
    if target.certificates is not None:
        yield from certificate_findings(
            target.certificates, tls=target.tls or target.http_origin()[2]
        )
    if target.orders is not None:
        yield from order_findings(target.orders, dialect)
    if target.private is not None:
        beside = (dialect, target.values, target.channels, target.symbols)
        yield from private_findings(target.private, *beside)
    if target.rest and target.rest.operation not in dialect.rest:
        known = ", ".join(dialect.rest) or "none"
        yield (
            ("rest", "operation"),
            f"dialect {dialect.name} has no operation {target.rest.operation}, it has {known}",
        )


def _listed_twice(target: Target) -> Iterator[Finding]:
    for key in ("symbols", "channels"):
        values = getattr(target, key)
        for n, value in enumerate(values):
            if value in values[:n]:
                yield (key, n), f"{value} is listed twice"


def _header_findings(target: Target, dialect: Dialect) -> Iterator[Finding]:
    yield from header_findings(target.headers, ("headers",), dialect.needs)
    for name in target.headers:
        if name.lower() in OF_HANDSHAKE or name.lower() in OF_REQUEST:
            yield ("headers", name), "belongs to the handshake or the request itself"
