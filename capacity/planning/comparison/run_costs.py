"""What one run says of every cost, in the form that two runs can be compared in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from capacity.domain.load import LoadVector
from capacity.domain.plan import CapacityPlan
from capacity.domain.resource_facts import LATENCIES
from capacity.domain.resources import Resource
from capacity.domain.run import RunRecord
from capacity.models.contrasts import StepLine, step_line
from capacity.planning.costs.fitted_costs import cost_rows
from capacity.planning.evidence.load_components import attribution
from capacity.planning.evidence.saturated_steps import judged
from capacity.planning.evidence.windows import (
    levels,
    offset_of,
    plateau_windows,
    windows_of_one_life,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredRun:
    """A run with the plan that was made of it."""

    record: RunRecord
    plan: CapacityPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceLine:
    """The line of one resource in one run."""

    line: StepLine
    components: tuple[str, ...]
    """What the columns after the baseline are; those after them are jumps, which cost no connection."""

    def along(self, mix: LoadVector) -> NDArray[np.float64]:
        """Return what to multiply the coefficients by for the use that one more connection adds."""
        vector = np.zeros(len(self.line.coefficients))
        vector[1 : 1 + len(self.components)] = [getattr(mix, name) for name in self.components]
        return vector

    def of(self, component: str) -> NDArray[np.float64] | None:
        """Return the same for one component alone, None where it was not told apart."""
        if component not in self.components:
            return None
        vector = np.zeros(len(self.line.coefficients))
        vector[1 + self.components.index(component)] = 1.0
        return vector

    def at_rest(self) -> NDArray[np.float64]:
        """Return the same for the use without connections, jumps included."""
        vector = np.zeros(len(self.line.coefficients))
        vector[0] = 1.0
        vector[1 + len(self.components) :] = 1.0
        return vector


def resource_lines(
    record: RunRecord, resources: Sequence[Resource]
) -> Mapping[Resource, ResourceLine]:
    """Return the line of each of *resources* that was read at two levels of connections or more."""
    record = judged(record)
    offset_s = offset_of(record.manifest.clock_offset)
    windows = windows_of_one_life(plateau_windows(record.steps, record.samples, offset_s))
    attributed = attribution(windows)
    found = {}
    for resource in resources:
        if resource in LATENCIES or levels([w for w in windows if resource in w.mean]) < 2:
            continue
        rows = cost_rows(resource, windows, attributed)
        found[resource] = ResourceLine(
            line=step_line(rows.matrix, rows.use, rows.fit, rows.steps),
            components=attributed.of(resource),
        )
    return found
