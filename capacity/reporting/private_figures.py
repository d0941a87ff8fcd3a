"""What private connections of a step were, beside the figures that they are part of."""

from capacity.domain import units
from capacity.domain.observation import StepObservation
from capacity.reporting.words import reason


def private_held(step: StepObservation) -> str:
    """Return how many of the connections on the plateau were private, and how many of these answered."""
    private = step.private
    if private is None or private.connections is None:
        return ""
    gone = f" ({units.count(private.half_open)} half-open)" if private.half_open else ""
    return f"{units.count(private.connections)} of them private{gone}, "


def private_failures(step: StepObservation) -> str:
    """Return what of the failures and losses private connections had."""
    if step.private is None:
        return ""
    failed = sorted(step.private.failures.items(), key=lambda item: -item[1])
    parts = [f"{units.count(n)} {reason(name)}" for name, n in failed]
    if step.private.lost:
        parts.append(f"{units.count(step.private.lost)} lost")
    return f"private: {'; '.join(parts)}" if parts else ""
