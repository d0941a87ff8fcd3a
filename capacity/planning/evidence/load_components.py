"""
Which parts of the load the run can attribute costs to.

A component that hardly varies belongs to the baseline. Of the varying ones the largest set is
taken whose design is well-conditioned; a component left out then moved with those kept, and its
cost is contained in theirs: right along the measured mix, and only there.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from capacity.domain.load import LoadVector
from capacity.domain.resource_facts import COUNTED
from capacity.domain.resources import Resource
from capacity.models.design import SEPARABLE_BELOW, condition_number
from capacity.planning.evidence.windows import Window

COMPONENTS = ("connections", "deliveries_per_s", "requests_per_s", "handshakes_per_s")
"""Fields of LoadVector that costs are attributed to."""

_CHOICES = (
    COMPONENTS,
    ("connections", "deliveries_per_s", "requests_per_s"),
    ("connections", "deliveries_per_s", "handshakes_per_s"),
    ("connections", "requests_per_s", "handshakes_per_s"),
    ("connections", "deliveries_per_s"),
    ("connections", "requests_per_s"),
    ("connections", "handshakes_per_s"),
)
_COUNTED_CHOICES = (("connections", "requests_per_s"),)
"""A delivery takes no counted unit; a poller keeps a connection alive, which does."""

_VARIES_ABOVE_RATIO = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    """The components whose costs are told apart, and what stood in the way of the others."""

    separated: tuple[str, ...]
    separated_counted: tuple[str, ...]
    """The same for counted resources."""
    merged: tuple[str, ...]
    """Vary, but together with a separated one."""
    constant: tuple[str, ...]
    """Present at the same rate on every plateau: their cost lies in the baseline."""
    condition_number: float
    """Of the design with all varying components."""

    def of(self, resource: Resource) -> tuple[str, ...]:
        """Return the components that costs of *resource* are attributed to."""
        return self.separated_counted if resource in COUNTED else self.separated

    @property
    def snaps(self) -> bool:
        """Tell whether a counted slope is that of a connection alone, without its pollers."""
        return "requests_per_s" not in set(self.merged) - set(self.separated_counted)


def attribution(windows: Sequence[Window]) -> Attribution:
    """Return the largest sets of components that the windows can tell apart."""
    varying, constant = [], []
    for component in COMPONENTS:
        if component == "handshakes_per_s" and not any(window.is_churned for window in windows):
            continue  # A client that happened to come back is no experiment.
        values = [getattr(window.load, component) for window in windows]
        is_varying = max(values) - min(values) > _VARIES_ABOVE_RATIO * max(values)
        if is_varying or component == "connections":
            varying.append(component)
        elif max(values) > 0.0:
            constant.append(component)
    separated = _separable(windows, varying, _CHOICES)
    return Attribution(
        separated=separated,
        separated_counted=_separable(windows, varying, _COUNTED_CHOICES),
        merged=tuple(component for component in varying if component not in separated),
        constant=tuple(component for component in constant if component not in separated),
        condition_number=condition_number(design(windows, varying)),
    )


def design(windows: Sequence[Window], components: Sequence[str]) -> NDArray[np.float64]:
    """Return the design matrix: a column of ones, then one a component."""
    rows = [[1.0, *(getattr(window.load, name) for name in components)] for window in windows]
    return np.array(rows)


def mix_vector(mix: LoadVector, components: Sequence[str]) -> NDArray[np.float64]:
    """Return d, the load per connection, component by component."""
    return np.array([getattr(mix, name) for name in components])


def _separable(
    windows: Sequence[Window], varying: Sequence[str], choices: Sequence[tuple[str, ...]]
) -> tuple[str, ...]:
    for choice in choices:
        kept = tuple(name for name in choice if name in varying)
        if condition_number(design(windows, kept)) <= SEPARABLE_BELOW:
            return kept
    return ("connections",)
