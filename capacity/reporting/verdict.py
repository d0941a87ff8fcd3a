"""The answer in words, short enough for one screen: how many, what first, how sure."""

from capacity.domain import units
from capacity.domain.caveats import FARTHEST_RATIO
from capacity.domain.load import LoadVector
from capacity.domain.plan import CapacityPlan, Excuse, GeneratorVerdict
from capacity.domain.words import RESOURCES
from capacity.reporting.document import Fact, Standing, Verdict
from capacity.reporting.words import DOUBTS, limit, origin

WALLS_BEHIND = 3


def verdict(plan: CapacityPlan | Excuse) -> Verdict:
    return _excused(plan) if isinstance(plan, Excuse) else _planned(plan)


def mix_in_words(mix: LoadVector) -> str:
    """Return the load that each connection brings along."""
    slow = f"; {units.share(mix.slow_readers_ratio)} of the connections read slowly"
    return (
        f"each connection receives {units.rate(mix.deliveries_per_s, 'deliveries')}"
        f" ({units.size(mix.delivered_bytes_per_s)}/s) and comes with"
        f" {units.rate(mix.requests_per_s, 'REST requests')}"
        f"{slow if mix.slow_readers_ratio else ''}"
    )


def _excused(excuse: Excuse) -> Verdict:
    facts = [Fact(label="Why", text=excuse.reason), Fact(label="What to do", text=excuse.remedy)]
    if excuse.generator is not None:
        facts.append(_generator(excuse.generator))
    return Verdict(
        standing=Standing.NONE,
        headline="This run gives no capacity",
        paragraphs=(),
        facts=tuple(facts),
    )


def _planned(plan: CapacityPlan) -> Verdict:
    return Verdict(
        standing=standing(plan),
        headline=(
            f"One instance holds {'' if _is_exact(plan) else 'about '}"
            f"{units.middle(plan.capacity)} connections;"
            f" first to give out: {RESOURCES[plan.binding]}"
        ),
        paragraphs=(f"Interval: {_interval(plan)}. Load: {mix_in_words(plan.mix)}.",),
        facts=(
            _safe(plan),
            *_walls(plan),
            Fact(
                label="Tested up to",
                text=f"{units.count(plan.highest_connections)} connections",
                note="; ".join(filter(None, [_distance(plan), _further(plan)])),
            ),
            _belief(plan),
            *_assumed(plan),
            _generator(plan.generator),
        ),
    )


def _interval(plan: CapacityPlan) -> str:
    if plan.met is None:
        return units.interval(plan.capacity)
    if plan.met.held == plan.met.failed:
        return "as this run met it"
    low, high = units.about(plan.met.held), units.about(plan.met.failed)
    return f"{low} connections were held in this run, {high} were not"


def _safe(plan: CapacityPlan) -> Fact:
    """Return the number to size by; a confidence only where no failure of the run is behind it."""
    text = f"{units.count(plan.safe_capacity)} connections"
    if plan.is_beyond_reach:
        farthest = units.counted(round(FARTHEST_RATIO * plan.highest_connections), "connection")
        text = f"nothing yet: this run says nothing beyond {farthest}"
        return Fact(label="Size by", text=text, note=_further(plan))
    if plan.met is not None:
        return Fact(label="Size by", text=text, note=f"this run met a limit: {plan.met.statement}")
    return Fact(
        label="Size by",
        text=text,
        note="an instance holds at least this many with 95 % confidence",
    )


def _further(plan: CapacityPlan) -> str:
    """Return what another level would bring, nothing where that is not known."""
    if plan.next_level is None:
        return ""
    count = units.counted(plan.next_level.connections, "connection")
    return f"at {count} the interval narrows to ± {units.share(plan.next_level.half_width_ratio)}"


def _is_exact(plan: CapacityPlan) -> bool:
    return plan.capacity.low == plan.capacity.high and plan.met is None


def _walls(plan: CapacityPlan) -> list[Fact]:
    if not plan.ladder:
        return [Fact(label="Gives out first", text=RESOURCES[plan.binding])]
    first, behind = plan.ladder[0], plan.ladder[1 : 1 + WALLS_BEHIND]
    gain = (
        f"lift this limit: {'how much that gains' if behind else 'no other wall'} is {'not ' * bool(behind)}known"
        if first.gain is None
        else f"lift this limit: gains about {units.about(first.gain)} connections"
    )
    nexts = [f"{RESOURCES[w.resource]} at {units.middle(w.ceiling)}" for w in behind]
    return [
        Fact(
            label="Gives out first",
            text=RESOURCES[first.resource],
            note=(
                f"limit {limit(first.limit)} ({origin(first.limit)});"
                f" first in {units.share(first.binding_probability)} of the resampled fits"
            ),
        ),
        Fact(label="To go further", text=gain, note=first.remedy),
        Fact(label="Next walls", text="; ".join(nexts) or "no other wall is known"),
    ]


def _distance(plan: CapacityPlan) -> str:
    if plan.extrapolation_ratio <= 1:
        return "the capacity lies within what was tested"
    ratio = units.number(plan.extrapolation_ratio)
    return f"the capacity is {ratio} times that, by extrapolation"


def standing(plan: CapacityPlan) -> Standing:
    if not plan.generator.is_trustworthy or plan.is_beyond_reach:
        return Standing.REFUTED
    return Standing.DOUBTFUL if plan.doubts else Standing.SOUND


def _belief(plan: CapacityPlan) -> Fact:
    doubts = ", ".join(dict.fromkeys(DOUBTS[doubt.kind] for doubt in plan.doubts))
    match standing(plan):
        case Standing.REFUTED:
            return Fact(label="To be believed?", text=f"No: {_why_not(plan)}", note=doubts)
        case Standing.DOUBTFUL:
            number = units.counted(len(plan.doubts), "doubt")
            return Fact(label="To be believed?", text=f"With care: {number}", note=doubts)
        case _:
            return Fact(label="To be believed?", text="Yes", note="no doubt was found")


def _assumed(plan: CapacityPlan) -> list[Fact]:
    """Return in one line what holds of nearly every plan."""
    if not plan.assumptions:
        return []
    text = "; ".join(DOUBTS[each.kind] for each in plan.assumptions)
    return [Fact(label="Takes for granted", text=text)]


def _why_not(plan: CapacityPlan) -> str:
    if not plan.generator.is_trustworthy:
        return "the generator spoiled the measurement"
    return (
        f"{RESOURCES[plan.binding]} is measured, and the capacity is"
        f" {units.number(plan.extrapolation_ratio, 2)} times the tested load; costs can be carried"
        f" {units.number(FARTHEST_RATIO)} times at most"
    )


def _generator(generator: GeneratorVerdict) -> Fact:
    text = "was not the limit" if generator.is_trustworthy else "was a limit itself"
    return Fact(label="Load generator", text=text, note=generator.statement)
