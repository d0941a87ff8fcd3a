"""What a run was made against, as its target file said."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from capacity.domain.errors import ConfigError
from capacity.domain.resource_facts import LATENCIES
from capacity.domain.resources import Limit, LimitState, Resource
from capacity.domain.words import listed

_ALONE = {"connections_per_client": 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyObjective:
    """How slow the target may be: that share of the durations stays within the limit."""

    resource: Resource
    """One of LATENCIES."""
    limit_s: float
    quantile: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetSpec:
    """The target file of a run: what the program decides by, and all of it to show."""

    name: str | None = None
    """None in records that do not say, as are the next two."""
    host: str | None = None
    port: int | None = None
    limits: tuple[Limit, ...] = ()
    """Declared by the operator, because no agent can read them."""
    arrival_limit_per_s: float | None = None
    """Connections a second that the target admits; None where nobody declared it."""
    objectives: tuple[LatencyObjective, ...] = ()
    """In the order of their names."""
    connections_per_client: int = 1
    """That one client holds; where several, the last of them is its private one."""
    document: Mapping[str, Any] = field(default_factory=dict)
    """The whole file as validated, without secrets: what the run directory keeps."""

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Return what *document* says, the `target` of a run.json of this or another version.

        Keys that are not there say nothing, and unknown ones are kept. Raises ConfigError.
        """
        name, host, port = (document.get(key) for key in ("name", "host", "port"))
        try:
            key, form = "limits", "each entry is a resource's name with its value and source"
            limits = tuple(
                declared(Resource(resource), float(entry["value"]), str(entry["source"]))
                for resource, entry in (document.get(key) or {}).items()
            )
            key, form = "arrival_limit", "it has a value and a source"
            arrival = document.get(key)
            arrival_limit_per_s = None if arrival is None else float(arrival["value"])
            key, form = (
                "slo",
                f"each entry is {listed(sorted(LATENCIES))} with its limit_s and quantile",
            )
            slo = document.get(key) or {}
            objectives = tuple(
                LatencyObjective(
                    resource=resource,
                    limit_s=float(entry["limit_s"]),
                    quantile=float(entry["quantile"]),
                )
                for resource in sorted(LATENCIES)
                if (entry := slo.get(resource)) is not None
            )
            key, form = "private", "it has connections_per_client, a whole number"
            connections_per_client = int((document.get(key) or _ALONE)["connections_per_client"])
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ConfigError(f"target.{key}: {error!r}; {form}") from None
        return cls(
            name=name if isinstance(name, str) else None,
            host=host if isinstance(host, str) else None,
            port=port if isinstance(port, int) else None,
            limits=limits,
            arrival_limit_per_s=arrival_limit_per_s,
            objectives=objectives,
            connections_per_client=connections_per_client,
            document=document,
        )


def declared(resource: Resource, value: float, source: str) -> Limit:
    """Return a limit that the operator stated, in the *resource*'s unit."""
    return Limit(
        resource=resource, state=LimitState.KNOWN, value=value, scope="declared", source=source
    )
