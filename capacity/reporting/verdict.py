"""The answer in words, short enough for one screen: how many, what first, how sure."""

from capacity.domain import units
from capacity.domain.caveats import FARTHEST_RATIO
from capacity.domain.load import LoadVector
from capacity.domain.plan import CapacityPlan, Excuse, GeneratorVerdict, Wall
from capacity.domain.words import RESOURCES
from capacity.planning.caveats.generator import is_near_limit, was_watched
from capacity.reporting.document import Fact, Standing, Verdict
from capacity.reporting.words import DOUBTS, limit, origin

WALLS_BEHIND = 3
_SAFE = "Safe capacity"
_SMALL_RATE_PER_S = 0.1


def verdict(plan: CapacityPlan | Excuse) -> Verdict:
    return _excused(plan) if isinstance(plan, Excuse) else _planned(plan)


def mix_in_words(mix: LoadVector) -> str:
    """Return the workload that comes with each connection."""
    slow = f"; {units.share(mix.slow_readers_ratio)} of the connections are slow readers"
    orders = f"; traders send {units.rate(mix.orders_per_s, 'requests')} for each of them"
    return (
        f"{units.rate(mix.deliveries_per_s, 'deliveries')}"
        f" ({units.size(mix.delivered_bytes_per_s)}/s) and {_requests(mix.requests_per_s)} per"
        f" connection{slow if mix.slow_readers_ratio else ''}{orders if mix.orders_per_s else ''}"
    )


def clients_in_words(plan: CapacityPlan) -> str:
    """Return how many clients the capacity is; empty where a client is a connection."""
    each = plan.connections_per_client
    if each == 1:
        return ""
    safe = "" if plan.is_beyond_reach else f", the safe capacity {units.count(plan.safe_clients)}"
    return (
        f"A client holds {each} connections, one of them private: the capacity is"
        f" {units.about(plan.clients)} clients{safe}."
    )


def _requests(per_s: float) -> str:
    """Return the rate; a small one as the time between two requests, which is easier to picture."""
    if 0.0 < per_s < _SMALL_RATE_PER_S:
        return f"one REST request every {units.duration(1.0 / per_s)}"
    return units.rate(per_s, "REST requests")


def _excused(excuse: Excuse) -> Verdict:
    facts = [Fact(label="Why", text=excuse.reason), Fact(label="What to do", text=excuse.remedy)]
    if excuse.generator is not None:
        facts.append(_generator(excuse.generator))
    return Verdict(
        standing=Standing.NONE,
        headline="Inconclusive: no capacity could be derived",
        paragraphs=(),
        facts=tuple(facts),
    )


def _planned(plan: CapacityPlan) -> Verdict:
    return Verdict(
        standing=standing(plan),
        headline=_headline(plan),
        paragraphs=(
            f"{_interval_of(plan)}. Workload: {mix_in_words(plan.mix)}.",
            *filter(None, [clients_in_words(plan)]),
        ),
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


def _headline(plan: CapacityPlan) -> str:
    if plan.is_beyond_reach:
        return (
            f"No capacity yet: this run supports no number beyond {_farthest(plan)}. Nearest limit:"
            f" {RESOURCES[plan.binding]}"
        )
    return (
        f"Capacity: {'' if _is_exact(plan) else '≈ '}{units.middle(plan.capacity)} connections per instance."
        f" Bottleneck: {RESOURCES[plan.binding]}"
    )


def _farthest(plan: CapacityPlan) -> str:
    return units.counted(round(FARTHEST_RATIO * plan.highest_connections), "connection")


def _interval_of(plan: CapacityPlan) -> str:
    if plan.is_beyond_reach:
        return (
            f"Extrapolated, not to plan with: ≈ {units.middle(plan.capacity)} ({_interval(plan)})"
        )
    return f"Interval: {_interval(plan)}"


def _interval(plan: CapacityPlan) -> str:
    if plan.met is None:
        return units.interval(plan.capacity)
    if plan.met.held == plan.met.failed:
        return "as this run hit it"
    low, high = units.about(plan.met.held), units.about(plan.met.failed)
    return f"this run held {low} connections and failed at {high}"


def _safe(plan: CapacityPlan) -> Fact:
    """Return the safe capacity; a confidence only where no failure of the run is behind it."""
    text = f"{units.count(plan.safe_capacity)} connections"
    if plan.is_beyond_reach:
        text = f"none yet: this run supports no number beyond {_farthest(plan)}"
        return Fact(label=_SAFE, text=text, note=_further(plan))
    if plan.met is not None:
        return Fact(label=_SAFE, text=text, note=f"this run hit a limit: {plan.met.statement}")
    return Fact(
        label=_SAFE,
        text=text,
        note="one-sided 95 % lower bound: plan with this number",
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
        return [Fact(label="Bottleneck", text=RESOURCES[plan.binding])]
    first, behind = plan.ladder[0], plan.ladder[1 : 1 + WALLS_BEHIND]
    if first.gain is not None:
        gain = f"+{units.about(first.gain)} connections of headroom until the next bottleneck"
    elif behind:
        gain = "unknown headroom: where the next bottleneck stands is not known"
    else:
        gain = "unknown headroom: no other bottleneck is known"
    nexts = [f"{RESOURCES[w.resource]} at {units.middle(w.ceiling)}" for w in behind]
    return [
        Fact(
            label="Bottleneck",
            text=RESOURCES[first.resource],
            note=(
                f"limit {limit(first.limit)}{_utilization(first)} ({origin(first.limit)});"
                f" P(first) {units.share(first.binding_probability)} (bootstrap)"
            ),
        ),
        Fact(label="Raise this limit", text=gain, note=first.remedy),
        Fact(label="Next bottlenecks", text="; ".join(nexts) or "none known"),
    ]


def _utilization(first: Wall) -> str:
    """Return how much of the limit was in use at the tested peak; nothing where that is not known."""
    value = first.limit.value
    if not value or first.limit.scope == "met":
        return ""
    return f", {units.share(first.used_at_highest / value)} utilized at the tested peak"


def is_met(plan: CapacityPlan) -> bool:
    """Tell whether the run itself hit the bottleneck: then nothing is forecast of it."""
    return plan.met is not None and plan.met.resource is plan.binding


def _distance(plan: CapacityPlan) -> str:
    if is_met(plan) and plan.extrapolation_ratio > 1:
        return "over a whole step at full workload; the capacity is where this run hit the limit"
    if plan.extrapolation_ratio <= 1:
        return "the capacity lies within the tested range"
    ratio = units.number(plan.extrapolation_ratio)
    return f"the capacity is {ratio} times that, extrapolated"


def standing(plan: CapacityPlan) -> Standing:
    if not plan.generator.is_trustworthy or plan.is_beyond_reach:
        return Standing.REFUTED
    return Standing.DOUBTFUL if plan.doubts else Standing.SOUND


def _belief(plan: CapacityPlan) -> Fact:
    doubts = ", ".join(dict.fromkeys(DOUBTS[doubt.kind] for doubt in plan.doubts))
    match standing(plan):
        case Standing.REFUTED:
            return Fact(label="Confidence", text=f"invalid: {_why_not(plan)}", note=doubts)
        case Standing.DOUBTFUL:
            number = units.counted(len(plan.doubts), "caveat")
            return Fact(label="Confidence", text=f"reduced: {number}", note=doubts)
        case _:
            return Fact(label="Confidence", text="good", note="no caveats")


def _assumed(plan: CapacityPlan) -> list[Fact]:
    """Return in one line what holds of nearly every plan."""
    if not plan.assumptions:
        return []
    text = "; ".join(DOUBTS[each.kind] for each in plan.assumptions)
    return [Fact(label="Assumptions", text=text)]


def _why_not(plan: CapacityPlan) -> str:
    if not plan.generator.is_trustworthy:
        return "the load generator may have been the bottleneck"
    return (
        f"the capacity is extrapolated to {units.number(plan.extrapolation_ratio, 2)} times the"
        f" tested load; measured costs ({RESOURCES[plan.binding]}) can be extrapolated"
        f" {units.number(FARTHEST_RATIO)} times at most"
    )


def _generator(generator: GeneratorVerdict) -> Fact:
    text = "may have been the bottleneck"
    if generator.is_trustworthy:
        text = "not saturated" + (", but near its limits" if is_near_limit(generator) else "")
    elif not was_watched(generator):
        text = "not known"
    return Fact(label="Load generator", text=text, note=generator.statement)
