"""config/hosts/*.yaml: a catalogue of host types, with what they have and what they cost."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, Field, TypeAdapter

from capacity.domain.answers.sizing import HostType
from capacity.domain.resources import Resource
from capacity.settings.yaml_files.models import RULES, Name
from capacity.settings.yaml_files.yaml_file import Finding, load

Amount = Annotated[float, Field(gt=0, le=1e18)]


class Host(BaseModel):
    model_config = RULES
    name: Name
    """Name of the type; letters, digits, dot, dash, underscore."""
    cores: Annotated[float, Field(gt=0, le=4096)]
    """Cores that an instance may use."""
    core_speed_ratio: Annotated[float, Field(gt=0, le=100)] = 1.0
    """Speed of a core over that of a core of the tested host."""
    memory_bytes: Amount
    """Memory that an instance may use, in bytes: less what the system and its other tenants take."""
    network_bytes_per_s: Amount | None = None
    """Sustained bandwidth of the link, in bytes per second; without it the network sets no ceiling."""
    limits: dict[Resource, Amount] = {}
    """Limits as they are configured on this type, by resource; all others are taken as measured."""
    price_per_month: Annotated[float, Field(ge=0, le=1e12)] | None = None
    """Price of one for a month, in the catalogue's currency; without it the type has no cost."""


class Hosts(BaseModel):
    model_config = RULES
    hosts: Literal[1]
    """Version of this file format."""
    currency: Annotated[str, Field(min_length=1, max_length=8)]
    """Currency of all prices."""
    types: Annotated[tuple[Host, ...], Field(min_length=1, max_length=500)]
    """The host types to choose from."""


ADAPTER = TypeAdapter(Hosts)


def load_hosts(path: Path) -> tuple[HostType, ...]:
    """Return the catalogue in *path*. Raises ConfigError."""
    catalogue = load(path, ADAPTER, _findings)
    return tuple(HostType(**dict(host), currency=catalogue.currency) for host in catalogue.types)


def _findings(catalogue: Hosts) -> Iterator[Finding]:
    names = [host.name for host in catalogue.types]
    for index, name in enumerate(names):
        first = names.index(name)
        if first < index:
            yield ("types", index, "name"), f"is taken by item {first} (got {name}); names differ"
