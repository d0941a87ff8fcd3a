"""The answer in words, short enough for one screen: how many, what first, how sure."""

from capacity.domain import units
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
        paragraphs=(f"Interval: {units.interval(plan.capacity)}. Load: {mix_in_words(plan.mix)}.",),
        facts=(
            Fact(
                label="Size by",
                text=f"{units.count(plan.safe_capacity)} connections",
                note="an instance holds at least this many with 95 % confidence",
            ),
            *_walls(plan),
            Fact(
                label="Tested up to",
                text=f"{units.count(plan.highest_connections)} connections",
                note=_distance(plan),
            ),
            _belief(plan),
            _generator(plan.generator),
        ),
    )


def _is_exact(plan: CapacityPlan) -> bool:
    return plan.capacity.low == plan.capacity.high


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
    if not plan.generator.is_trustworthy:
        return Standing.REFUTED
    return Standing.DOUBTFUL if plan.doubts else Standing.SOUND


def _belief(plan: CapacityPlan) -> Fact:
    doubts = ", ".join(dict.fromkeys(DOUBTS[doubt.kind] for doubt in plan.doubts))
    match standing(plan):
        case Standing.REFUTED:
            return Fact(
                label="To be believed?",
                text="No: the generator spoiled the measurement",
                note=doubts,
            )
        case Standing.DOUBTFUL:
            number = units.counted(len(plan.doubts), "doubt")
            return Fact(label="To be believed?", text=f"With care: {number}", note=doubts)
        case _:
            return Fact(label="To be believed?", text="Yes", note="no doubt was found")


def _generator(generator: GeneratorVerdict) -> Fact:
    text = "was not the limit" if generator.is_trustworthy else "was a limit itself"
    return Fact(label="Load generator", text=text, note=generator.statement)
