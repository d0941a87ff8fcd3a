"""Where the exhaustion dates come from: what the instances carry, and the growth until then."""

import math

from capacity.domain import units
from capacity.domain.answers.sizing import Demand, Exhaustion, ExhaustionDate
from capacity.domain.units import MONTH_S
from capacity.models.operations.redundancy import survivors
from capacity.planning.advice.sizing import losses
from capacity.reporting.advice.present import instances_in_words
from capacity.reporting.document import Section

_DIGITS = 5


def exhaustion_proof(found: Exhaustion, demand: Demand) -> tuple[Section, ...]:
    """Return what is used up, and when the demand meets it."""
    left = survivors(found.instances, **losses(demand))
    kept = 1.0 - demand.headroom_ratio
    reserve = (
        f"{units.count(left)} of {units.count(found.instances)} instances left after the"
        f" planned-for loss, × {kept:.4g} for headroom"
    )
    whose = instances_in_words(found, demand)
    factors = (
        (left * kept, reserve),
        (float(found.instances), units.counted(found.instances, "instance")),
    )
    return (
        Section(
            anchor="carried",
            heading="What the instances carry",
            paragraphs=(
                f"Whose they are: {whose}",
                *(
                    _carried(date, factor, words)
                    for date, (factor, words) in zip(found.dates, factors, strict=True)
                ),
            ),
        ),
        Section(
            anchor="growth",
            heading="Arithmetic",
            paragraphs=(
                *(_met(date, found, demand) for date in found.dates),
                (
                    "Dates at 10, 50 and 90 %: quantiles of t over 199 × 199 equally likely pairs of"
                    " capacity and growth, each side of the middle with a width of its own"
                ),
            ),
        ),
    )


def _carried(date: ExhaustionDate, factor: float, words: str) -> str:
    total = date.connections
    one = f"{units.number(total.mid / factor, _DIGITS)}" if factor else "0"
    return (
        f"{date.of}: {words}, × {one} connections of one ="
        f" {units.count(total.mid)} connections ({units.count(total.low)} to {units.count(total.high)})"
    )


def _met(date: ExhaustionDate, found: Exhaustion, demand: Demand) -> str:
    capacity, growth = date.connections.mid, found.growth_per_month.mid
    start = f"{units.count(demand.connections)} on {_day(demand.as_of_at)}"
    if capacity <= demand.connections:
        return (
            f"{date.of}: {units.count(capacity)} is not above the demand of {start}: exhausted then"
        )
    if growth <= 0.0:
        return f"{date.of}: demand does not grow at its middle ({growth:.4g} a month)"
    months = math.log(capacity / demand.connections) / math.log1p(growth)
    ends_at = demand.as_of_at + months * MONTH_S
    return (
        f"{date.of}: t = ln({units.count(capacity)} / {units.count(demand.connections)})"
        f" / ln(1 + {growth:.4g}) = {units.number(months, _DIGITS)} months after"
        f" {_day(demand.as_of_at)}: {_day(ends_at)}, both at their middle"
    )


def _day(at: float) -> str:
    return units.moment(at).split(" ", maxsplit=1)[0]
