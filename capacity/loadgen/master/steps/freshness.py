"""From the versions that were pushed and polled on a plateau to how fresh the two clients were."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from capacity.domain.observation import FreshnessPair
from capacity.models.operations.freshness import measured


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """How one instrument is watched."""

    poll_interval_s: float
    objective_s: float | None
    clock_offset_s: float
    """To be added to the recorder's clock for that of the target."""


def freshness_of(
    watched: Watched,
    pushed: Sequence[tuple[float, float, int]],
    polled: Sequence[tuple[float, int, float]],
    *,
    until_s: float,
) -> FreshnessPair | None:
    """Return the freshness up to *until_s* (recorder's clock), by the versions that were published; None without any.

    *pushed* are arrival, publication and version, *polled* arrival, version and seconds to the reply;
    all moments on the target's clock. A subscriber who joins is told of the present version again.
    """
    until_s += watched.clock_offset_s
    first: dict[int, float] = {}
    for _arrived_s, published_s, version in pushed:
        first.setdefault(version, published_s)
    versions = sorted(first)
    changes = [first[version] for version in versions]
    if len(changes) < 2:
        return None

    def held(version: int) -> int:
        return bisect_right(versions, version)

    return FreshnessPair(
        changes_per_s=(len(changes) - 1) / max(changes[-1] - changes[0], 1e-9),
        poll_interval_s=watched.poll_interval_s,
        reply_s=median(took_s for _at, _version, took_s in polled) if polled else 0.0,
        pushed=measured(
            changes,
            [(arrived_s, held(version)) for arrived_s, _published_s, version in pushed],
            until_s=until_s,
            objective_s=watched.objective_s,
        ),
        polled=measured(
            changes,
            [(arrived_s, held(version)) for arrived_s, version, _took_s in polled],
            until_s=until_s,
            objective_s=watched.objective_s,
        ),
    )
