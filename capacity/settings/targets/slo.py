"""Service level objectives of a target: how slow it may be."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from capacity.domain.resources import Resource
from capacity.domain.target import LatencyObjective

RULES = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Objective(BaseModel):
    model_config = RULES
    quantile: Annotated[float, Field(ge=0.5, le=0.999)] = 0.95
    """Quantile of the durations that must stay within limit_s."""
    limit_s: Annotated[float, Field(gt=0)]
    """Longest duration allowed, in seconds."""


class Slo(BaseModel):
    model_config = RULES
    delivery_delay: Objective | None = None
    """From publication to read by the client; needs a dialect with the target's time of publication."""
    request_latency: Objective | None = None
    """From the scheduled start of a poll to its reply."""
    handshake_time: Objective | None = None
    """From TCP connect to confirmed subscription."""

    def objectives(self) -> tuple[LatencyObjective, ...]:
        """Return those that are set, in the order of their names."""
        stated = {
            Resource.DELIVERY_DELAY: self.delivery_delay,
            Resource.HANDSHAKE_TIME: self.handshake_time,
            Resource.REQUEST_LATENCY: self.request_latency,
        }
        return tuple(
            LatencyObjective(resource=resource, limit_s=found.limit_s, quantile=found.quantile)
            for resource, found in stated.items()
            if found is not None
        )
