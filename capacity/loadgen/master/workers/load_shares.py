"""Tells the workers their shares of the load that is due, slower where a target is in distress."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from capacity.domain.load import LoadStep
from capacity.loadgen.master.guards.distress import Distress
from capacity.loadgen.master.workers.assignments import careful_rate_per_s, stage_of
from capacity.loadgen.master.workers.worker_pool import WorkerPool
from capacity.workload.profiles.arrivals import Arrivals, longest_gap_s
from capacity.workload.profiles.connect_rate import SLOWEST_PER_S
from capacity.workload.profiles.profile import Position


class LoadShares:
    def __init__(self, pool: WorkerPool, distress: Distress, *, is_careful: bool) -> None:
        """Share among those who are in *pool*; *is_careful* where arrivals begin slowly."""
        self._pool = pool
        self._distress = distress
        self._is_careful = is_careful

    def connects_per_s(self, steps: Sequence[LoadStep], index: int) -> float:
        """Return how fast connections of a step are opened now, all workers together."""
        most_per_s = steps[index].connects_per_s
        if self._is_careful:
            most_per_s = careful_rate_per_s(steps, index)
        return most_per_s * self._distress.rate_ratio

    def longest_gap_s(
        self, steps: Sequence[LoadStep], index: int, arrivals: Arrivals = "even"
    ) -> float:
        """Return how long no connection may be opened in a ramp, by the pace of the workers alone."""
        share_per_s = self.connects_per_s(steps, index) / max(1, len(self._pool))
        return longest_gap_s(arrivals, min(SLOWEST_PER_S, share_per_s))

    def tell(self, steps: Sequence[LoadStep], position: Position, **changes: Any) -> None:
        """Tell every worker its share of the stage that is due, with *changes* to it."""
        per_s = self.connects_per_s(steps, position.index)
        step = replace(steps[position.index], connects_per_s=per_s)
        shares = max(1, len(self._pool))
        stage = stage_of(position, step, shares, is_careful=self._is_careful)
        self._pool.tell_stage(replace(stage, **changes))
