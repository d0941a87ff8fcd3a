"""What the private connections of all workers counted, of what is counted of both kinds together."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from capacity.domain.observation import PrivateFigures
from capacity.loadgen.protocol.kinds import PRIVATE_COUNTS


@dataclass(slots=True)
class PrivateCounts:
    """Of one (step, phase)."""

    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(PRIVATE_COUNTS, 0))
    failures: dict[str, int] = field(default_factory=dict)
    open_connections: list[int] = field(default_factory=list)
    """All workers together, once a report."""

    def add(self, counted: Mapping[str, Any]) -> None:
        """Add the `private` part of a worker's report (protocol.kinds)."""
        for name in PRIVATE_COUNTS:
            self.counts[name] += counted[name]
        for reason, count in counted["failures"].items():
            self.failures[reason] = self.failures.get(reason, 0) + count


def figures_of(
    phases: Iterable[PrivateCounts | None], plateau: PrivateCounts | None
) -> PrivateFigures | None:
    """Return the figures of a step, of all its *phases*; None where no worker has such connections."""
    told = [phase for phase in phases if phase is not None]
    if not told:
        return None
    every = PrivateCounts()
    for phase in told:
        every.add({**phase.counts, "failures": phase.failures})
    held = plateau.open_connections if plateau is not None else []
    return PrivateFigures(
        connections=sum(held) / len(held) if held else None,
        connects=every.counts["connects"],
        failures=every.failures,
        lost=max(0, every.counts["lost"]),
        updates=None if plateau is None else plateau.counts["deliveries"],
        pinged=None if plateau is None else plateau.counts["pinged"],
        half_open=None if plateau is None else plateau.counts["half_open"],
    )
