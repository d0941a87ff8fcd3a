"""
Whether the connections of a step were served, and not only open.

A step on which connections stayed open without bringing anything is one that the target did not hold,
whatever its total shows: the silent ones cost nothing, and would make the others look cheap.
"""

from collections.abc import Sequence

from capacity.domain import units
from capacity.domain.observation import CutOff, CutOffKind, StepObservation

MOST_UNSERVED_RATIO = 0.01
"""Of a step's connections, that may be silent for reasons of their own."""


def unserved_in(step: StepObservation) -> int:
    """Return how many connections of a step were open and not served; 0 where nobody looked."""
    return (step.unserved or 0) + (step.half_open or 0)


def unserved_statement(step: StepObservation) -> str:
    """Return how many connections of a step were open and not served, in words."""
    connections = units.counted(step.step.connections, "connection")
    parts = []
    if step.unserved:
        parts.append(
            f"{units.count(step.unserved)} of {connections} stayed open and received no update on the"
            " plateau, while others on the same channels did"
        )
    if step.half_open:
        parts.append(
            f"{units.count(step.half_open)} of {connections} did not answer a ping (the other end is"
            f" gone without a word, or does not read them; {units.count(step.pinged or step.half_open)} were asked)"
        )
    return "; ".join(parts)


def unserved_steps(steps: Sequence[StepObservation]) -> dict[int, CutOff]:
    """Return by index how each step was cut off on which too many were not served."""
    return _refused_steps(steps) | {
        step.index: CutOff(
            kind=CutOffKind.UNSERVED,
            statement=unserved_statement(step),
            connections=step.step.connections,
        )
        for step in steps
        if step.void is None
        and step.cut_off is None
        and unserved_in(step) > MOST_UNSERVED_RATIO * step.step.connections
    }


def _refused_steps(steps: Sequence[StepObservation]) -> dict[int, CutOff]:
    """Return by index how each step was cut off on which more subscriptions were refused than with fewer connections.

    A cap on the channels of one connection refuses as many of each at every count, the first one included.
    """
    found: dict[int, CutOff] = {}
    asked = [step for step in steps if step.void is None and step.step.subscriptions_per_connection]
    for step in asked:
        connections, refused = step.step.connections, step.failures.get("subscribe_rejected", 0)
        below = [
            other.failures.get("subscribe_rejected", 0) / other.step.connections
            for other in asked
            if 0 < other.step.connections < connections and other.index not in found
        ]
        is_more = bool(below) and refused / connections > max(below) + MOST_UNSERVED_RATIO
        if is_more and step.cut_off is None:
            found[step.index] = CutOff(
                kind=CutOffKind.UNSERVED,
                statement=f"{units.counted(refused, 'subscription')} of"
                f" {units.counted(connections, 'connection')} {'was' if refused == 1 else 'were'} refused, more"
                " for each than with fewer connections",
                connections=connections,
            )
    return found
