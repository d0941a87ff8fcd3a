"""config/targets/*.yaml: the system under test and what of it is loaded."""

import re
from collections.abc import Iterable, Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, field_validator

from capacity.domain.errors import ConfigError
from capacity.domain.resources import Resource
from capacity.settings.dialect import load_dialect
from capacity.settings.locate import find
from capacity.settings.yaml_file import Finding, load
from capacity.workload.template import names

MOST_SOURCE_ADDRESSES = 1024
RULES = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


def _is_name(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}", name):
        raise ValueError(
            "must be 1 to 60 letters, digits, dots, dashes and underscores, the first no sign "
            f"(got {name[:80]!a}); it becomes part of file names"
        )
    return name


Name = Annotated[str, AfterValidator(_is_name)]
"""Becomes part of file names."""


def _is_network(text: str) -> str:
    # With a zone, an address is one interface's; bind(2) wants that as a number of this host.
    try:
        network = ip_network(text)
    except ValueError:
        network = None
    if network is None or network.is_multicast or network[0].is_unspecified or "%" in text:
        raise ValueError(
            "must be an IP address of this machine, or a network of them such as 127.0.1.0/28 with "
            f"no bit set behind the slash's (got {text[:80]!a})"
        )
    return text


Network = Annotated[str, AfterValidator(_is_network)]


class Agent(BaseModel):
    model_config = RULES
    url: str
    """Address of the agent beside the target, such as http://127.0.0.1:9101."""
    token_file: str | None = None
    """File that holds the agent's token, if it wants one; tokens have no place in this file."""

    @field_validator("url")
    @classmethod
    def _is_http(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.port == 0:
            raise ValueError("must be http://HOST:PORT or https://HOST:PORT")
        if parts.username is not None or parts.query or parts.fragment:
            raise ValueError("must not carry credentials or parameters; use token_file")
        return url.rstrip("/")


class DeclaredLimit(BaseModel):
    model_config = RULES
    value: Annotated[float, Field(gt=0)]
    """How much there is, in the resource's unit."""
    source: str
    """Who says so: the configuration entry, the data sheet."""


class Rest(BaseModel):
    model_config = RULES
    operation: str
    """What pollers ask for: a name from the dialect's rest section."""


class Target(BaseModel):
    model_config = RULES
    target: Literal[1]
    """Version of this file format."""
    name: Name
    """Name of the target in reports and history; letters, digits, dot, dash, underscore."""
    host: str
    """Host name or address; IPv6 without brackets."""
    port: Annotated[int, Field(ge=1, le=65535)]
    """TCP port of its WebSocket and REST endpoints."""
    tls: bool = False
    """Speak wss and https."""
    dialect: str
    """Name or path of the dialect that the target speaks."""
    symbols: tuple[str, ...] = ()
    """What {symbol} in the dialect's channels and requests stands for, one after the other."""
    channels: Annotated[tuple[str, ...], Field(min_length=1)]
    """Logical channel names. Connection i follows its n subscriptions from the i-th entry of the
    product channels × symbols on (symbols run fastest), so that the load spreads over them all."""
    agent: Agent | None = None
    """The agent that reads the target's limits and resources; without it there is no plan."""
    limits: dict[Resource, DeclaredLimit] = Field(default_factory=dict)
    """Limits that no agent can read, by resource; application_connections above all."""
    rest: Rest | None = None
    """What pollers request; without it there are none."""
    source_addresses: tuple[Network, ...] = ()
    """IP addresses of the load generator's own host, or networks such as 127.0.1.0/28, that its
    connections leave from in turn: each has ports for some 28,000 connections to one target."""

    @field_validator("host")
    @classmethod
    def _is_host(cls, host: str) -> str:
        if not re.fullmatch(r"[^\s/@\[\]]+", host) or re.fullmatch(r"[^:]*:[^:]*", host):
            raise ValueError(f"must be a host name or an address and nothing else (got {host!a})")
        return host


ADAPTER = TypeAdapter(Target)


def addresses_in(networks: Iterable[str]) -> tuple[str, ...]:
    """Return each address that *networks* have for hosts, once."""
    return tuple(
        dict.fromkeys(str(address) for text in networks for address in ip_network(text).hosts())
    )


def load_target(path: Path) -> Target:
    """Return the target in *path*, checked against its dialect. Raises ConfigError."""
    return load(path, ADAPTER, _findings)


def _findings(target: Target) -> Iterator[Finding]:
    try:
        path = find("dialects", target.dialect)
    except ConfigError as error:
        yield ("dialect",), str(error)
        return
    dialect = load_dialect(path)
    for n, channel in enumerate(target.channels):
        if channel not in dialect.channels:
            known = ", ".join(dialect.channels)
            yield (
                ("channels", n),
                f"dialect {dialect.name} has no channel {channel}, it has {known}",
            )
        elif not target.symbols and "symbol" in names(dialect.channels[channel].wire):
            yield ("channels", n), "is made of {symbol}; list what that stands for in symbols"
    for key in ("symbols", "channels"):
        values = getattr(target, key)
        for n, value in enumerate(values):
            if value in values[:n]:
                yield (key, n), f"{value} is listed twice"
    yield from _source_findings(target.source_addresses)
    if target.rest and target.rest.operation not in dialect.rest:
        known = ", ".join(dialect.rest) or "none"
        yield (
            ("rest", "operation"),
            f"dialect {dialect.name} has no operation {target.rest.operation}, it has {known}",
        )


def _source_findings(texts: tuple[str, ...]) -> Iterator[Finding]:
    networks = [ip_network(text) for text in texts]
    count = 0
    for n, network in enumerate(networks):
        where = ("source_addresses", n)
        count += network.num_addresses
        if network.version != networks[0].version:
            yield where, f"{texts[n]} and {texts[0]}: must all be IPv4 or all be IPv6"
        elif any(network.overlaps(other) for other in networks[:n]):
            yield where, f"{texts[n]} holds addresses listed before"
    if count > MOST_SOURCE_ADDRESSES:
        yield (
            ("source_addresses",),
            f"are {count} addresses, at most {MOST_SOURCE_ADDRESSES} are used; give smaller networks",
        )
