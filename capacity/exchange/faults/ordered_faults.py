"""What is to go wrong, and when: a YAML file, or one fault as JSON."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from capacity.domain.errors import ConfigError
from capacity.settings.yaml_files.models import RULES
from capacity.settings.yaml_files.yaml_file import load

MOST_S = 86_400


class _Fault(BaseModel):
    model_config = RULES
    after_s: Annotated[float, Field(ge=0, le=MOST_S)] = 0.0
    """Seconds from the start, or from the request."""
    every_s: Annotated[float, Field(ge=0.01, le=MOST_S)] | None = None
    """Seconds after which it is done again, and so on; None does it once."""


class _OfConnections(_Fault):
    share_ratio: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Share of the connections that are open then, drawn with the seed; at least one."""


class Skip(_OfConnections):
    """The next updates of channels that are followed are left out: gaps in their numbers."""

    kind: Literal["skip"]
    updates: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    """Of each channel on each of the connections."""
    channels: Annotated[str, Field(min_length=1)] = "*"
    """Names on the wire, with * and ? as in file names."""


class Stall(_OfConnections):
    """No updates for a while, then all of them, late; requests and pings are answered."""

    kind: Literal["stall"]
    for_s: Annotated[float, Field(gt=0, le=MOST_S)]


class HalfOpen(_OfConnections):
    """The socket stays; nothing comes any more, no answer and no close."""

    kind: Literal["half_open"]


class Burst(_Fault):
    """Every market moves so often at once, and every channel tells each move."""

    kind: Literal["burst"]
    updates: Annotated[int, Field(ge=1, le=10_000)]


Fault = Annotated[Skip | Stall | HalfOpen | Burst, Field(discriminator="kind")]


class FaultsFile(BaseModel):
    model_config = RULES
    faults: Literal[1]
    """Version of this file format."""
    do: Annotated[tuple[Fault, ...], Field(min_length=1, max_length=1000)]


_FILE = TypeAdapter(FaultsFile)
_ONE: TypeAdapter[Skip | Stall | HalfOpen | Burst] = TypeAdapter(Fault)


def load_faults(path: Path) -> tuple[Fault, ...]:
    """Return the faults in *path*. Raises ConfigError with file, line and key of each mistake."""
    return load(path, _FILE).do


def one_fault(text: bytes) -> Fault:
    """Return the fault in a JSON text. Raises ConfigError."""
    try:
        return _ONE.validate_json(text, strict=True)
    except ValidationError as invalid:
        first = invalid.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "fault"
        raise ConfigError(f"{place}: {first['msg']}") from None
