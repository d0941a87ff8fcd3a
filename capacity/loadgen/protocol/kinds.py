"""One report of both kinds of connections: what is counted is counted together, and of the private ones apart."""

from collections.abc import Mapping
from typing import Any

from capacity.loadgen.protocol.counters import COUNTS

PRIVATE_COUNTS = ("connects", "lost", "deliveries", "pinged", "half_open")
"""Of the private connections, that are kept apart as well."""
OF_PRIVATE = "private: "
"""Before what was said to one of them."""


def with_private(report: dict[str, Any], private: Mapping[str, Any]) -> dict[str, Any]:
    """Return what both counted, with what *private* ones alone did under `private`.

    Both are reports of `Counters.take` of the same time.
    """
    both = dict(report)
    both |= {name: report[name] + private[name] for name in COUNTS}
    for name in ("failures", "unmatched_by"):
        both[name] = _added(report[name], private[name])
    for name in ("examples", "said"):
        both[name] = [*report[name], *(f"{OF_PRIVATE}{text}" for text in private[name])]
    both["open_before_loss"] = max(report["open_before_loss"], private["open_before_loss"])
    series = {*report["histograms"], *private["histograms"]}
    both["histograms"] = {
        name: _added(report["histograms"].get(name, {}), private["histograms"].get(name, {}))
        for name in series
    }
    apart = {name: private[name] for name in ("failures", "refused_logins", *PRIVATE_COUNTS)}
    return both | {"private": apart}


def _added(one: Mapping[Any, int], other: Mapping[Any, int]) -> dict[Any, int]:
    return {key: one.get(key, 0) + other.get(key, 0) for key in (*one, *other)}
