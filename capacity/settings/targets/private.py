"""The `private` section of a target file: the connection that a client logs in on, beside its public ones."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from capacity.domain.errors import ConfigError
from capacity.settings.dialect import load_dialect
from capacity.settings.dialects.endpoint_findings import url_findings
from capacity.settings.locate import beside_if_path, find
from capacity.settings.targets.named_channels import channel_findings
from capacity.settings.values import Value, Values, anchored_values, too_few_rows, value_findings
from capacity.settings.yaml_files.yaml_file import Finding
from capacity.workload.dialects.dialect import Dialect

_PLACE = ("private",)
_OWN = ("dialect", "url", "channels", "values")


class Private(BaseModel):
    """What is not given is the target's."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)
    connections_per_client: Annotated[int, Field(ge=2, le=1000)] = 2
    """Connections that one client holds, the last of them the private one. Each counts as one
    connection, and each Locust user holds those of whole clients."""
    dialect: str | None = None
    """Name of the dialect that private connections speak, or its path relative to this file: their
    address, login (opening), channels and heartbeats."""
    url: str | None = None
    """Address in place of ws.url of that dialect."""
    channels: tuple[str, ...] = ()
    """Logical channel names. A private connection follows all of them, for all symbols, in every
    step: what of it costs is part of what a connection costs."""
    symbols: tuple[str, ...] = ()
    """What {symbol} in them stands for."""
    values: dict[str, str | Value] = Field(default_factory=dict)
    """What that dialect `needs`, as in values of the target; client i has the i-th row."""


def private_dialect(private: Private, public: str) -> Dialect:
    """Return what private connections speak, *public* by default. Raises ConfigError."""
    dialect = load_dialect(find("dialects", private.dialect or public))
    if private.url is None:
        return dialect
    return replace(dialect, ws=replace(dialect.ws, url=private.url))


def anchored_private(private: Private, folder: Path) -> Private:
    """Return *private* with files that are named relative to *folder*."""
    changes = {
        "dialect": private.dialect and beside_if_path(folder, private.dialect),
        "values": anchored_values(private.values, folder),
    }
    return private.model_copy(update=changes)


def kinds_of(private: Private | None, connections: int) -> tuple[int, int]:
    """Return how many of so many *connections* are public, and how many private, whole clients taken."""
    if private is None:
        return connections, 0
    clients = math.ceil(connections / private.connections_per_client)
    return clients * (private.connections_per_client - 1), clients


def lacking_rows(values: Values, private: Private | None, connections: int) -> Iterator[str]:
    """Yield which values of a target file have too few rows for so many *connections* of both kinds."""
    publicly, privately = kinds_of(private, connections)
    if (trouble := too_few_rows(values, publicly)) is not None:
        yield trouble
    if private is not None and (trouble := too_few_rows(private.values, privately)) is not None:
        yield f"private.{trouble}"


def private_findings(
    private: Private,
    public: Dialect,
    public_values: Values,
    channels: Sequence[str],
    symbols: Sequence[str],
) -> Iterator[Finding]:
    """Yield what is wrong with *private* beside what its target has for *public* connections."""
    if not any(getattr(private, name) for name in _OWN):
        yield _PLACE, f"is as the public connections are; give {', '.join(_OWN[:-1])} or values"
        return
    dialect = public
    if private.dialect is not None:
        try:
            dialect = load_dialect(find("dialects", private.dialect))
        except ConfigError as error:
            yield (*_PLACE, "dialect"), str(error)
            return
    if private.url is not None:
        changed = replace(dialect, ws=replace(dialect.ws, url=private.url))
        for where, wrong in url_findings(changed):
            yield (*_PLACE, *where[1:]), wrong
    chosen = private.channels or channels
    place = _PLACE if private.channels else ()
    yield from channel_findings(chosen, private.symbols or symbols, dialect, place)
    shared = {name: value for name, value in public_values.items() if name in dialect.needs}
    values = {**shared, **private.values}
    for where, wrong in value_findings(values, dialect, chosen):
        yield (*_PLACE, *where), wrong
