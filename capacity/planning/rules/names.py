"""Every figure that a rule may name, and what it is measured in."""

from collections.abc import Mapping

from capacity.domain.answers.rules import Dimension
from capacity.domain.resource_facts import LATENCIES, UNITS
from capacity.domain.resources import Resource

QUANTILES = ("p50", "p95", "p99", "max")
PARTS = {
    "connection": "connections",
    "delivery": "deliveries_per_s",
    "request": "requests_per_s",
    "handshake": "handshakes_per_s",
}
"""Word in a figure's name -> component of the load. Per connection is along the mix: with its share of
deliveries and requests."""
_OF_UNIT = {
    "bytes": Dimension.BYTES,
    "bytes_per_s": Dimension.BYTES_PER_S,
    "cores": Dimension.CORES,
    "seconds": Dimension.SECONDS,
}


def dimension_of(resource: Resource) -> Dimension:
    return _OF_UNIT.get(UNITS[resource], Dimension.COUNT)


def _dimensions() -> dict[str, Dimension]:
    names = {
        **{f"capacity.{end}": Dimension.COUNT for end in ("safe", "mid", "low", "high")},
        "headroom": Dimension.RATIO,
        "extrapolation": Dimension.COUNT,
        "tested.connections": Dimension.COUNT,
        "bottleneck": Dimension.NAMES,
        "caveats": Dimension.NAMES,
        "audit.changed": Dimension.NAMES,
        "regressions": Dimension.NAMES,
        "generator.lag_p95": Dimension.SECONDS,
        "generator.cpu": Dimension.CORES,
        "connections.lost": Dimension.COUNT,
        "connections.failed": Dimension.COUNT,
        "updates.missing": Dimension.COUNT,
    }
    for series in sorted(LATENCIES):
        names |= {f"{series}.{quantile}": Dimension.SECONDS for quantile in QUANTILES}
    for resource in Resource:
        names[f"ceiling.{resource}"] = Dimension.COUNT
        names[f"limit.{resource}"] = dimension_of(resource)
        if resource in LATENCIES or resource is Resource.UNIDENTIFIED:
            continue
        names[f"utilization.{resource}"] = Dimension.RATIO
        names[f"baseline.{resource}"] = dimension_of(resource)
        names |= {f"cost.{resource}_per_{part}": dimension_of(resource) for part in PARTS}
    return names


DIMENSIONS: Mapping[str, Dimension] = _dimensions()
