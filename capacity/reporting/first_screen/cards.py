"""The cards of the first screen: belief, instances and their price, exhaustion and storm, generator."""

from collections.abc import Sequence

from capacity.domain import units
from capacity.domain.answers.sizing import ArrivalCost, Exhaustion, Storm, Unanswered
from capacity.domain.caveats import Doubt, DoubtKind
from capacity.domain.plan import CapacityPlan, Excuse, GeneratorVerdict
from capacity.planning.caveats.generator import is_near_limit, was_watched
from capacity.reporting.advice.present import instances_in_words, is_already, month
from capacity.reporting.advice.sizing import price
from capacity.reporting.document import Standing
from capacity.reporting.first_screen.demand import best_host
from capacity.reporting.first_screen.screen import Card
from capacity.reporting.first_screen.texts import capital, shortened
from capacity.reporting.verdict import standing
from capacity.reporting.words import DOUBTS

_MOST_CHARACTERS, _MOST_OF_BELIEF = 105, 135
_INSTANCES, _STORM, _BELIEF = "Instances and price", "Reconnect storm", "Confidence"


def planned_cards(plan: CapacityPlan) -> tuple[Card, ...]:
    return (_belief(plan), _instances(plan), _storm(plan), _generator(plan.generator))


def excused_cards(excuse: Excuse) -> tuple[Card, ...]:
    found = [Card(heading=_BELIEF, big="No answer", text=_named(excuse.doubts), link="doubts")]
    if excuse.generator is not None:
        found.append(_generator(excuse.generator))
    return tuple(found)


def _belief(plan: CapacityPlan) -> Card:
    big = {
        Standing.SOUND: "Good",
        Standing.DOUBTFUL: "Reduced",
        Standing.REFUTED: "Invalid",
    }[standing(plan)]
    text = _named(plan.doubts)
    if plan.is_beyond_reach:
        far = f"Extrapolated {units.number(plan.extrapolation_ratio)} times the tested load"
        others = (each for each in plan.doubts if each.kind is not DoubtKind.EXTRAPOLATION)
        text = "; ".join(dict.fromkeys([far, *(DOUBTS[each.kind] for each in others)]))
    if not plan.doubts and plan.assumptions:
        assumed = "; ".join(DOUBTS[each.kind] for each in plan.assumptions)
        text = f"No caveats. Assumed: {assumed}."
    return Card(heading=_BELIEF, big=big, text=shortened(text, _MOST_OF_BELIEF), link="doubts")


def _named(doubts: Sequence[Doubt]) -> str:
    """Return one caveat as its sentence, several by their names."""
    if not doubts:
        return "No caveats."
    if len(doubts) == 1:
        return shortened(
            f"{capital(DOUBTS[doubts[0].kind])}: {doubts[0].statement}", _MOST_CHARACTERS
        )
    return capital("; ".join(dict.fromkeys(DOUBTS[doubt.kind] for doubt in doubts)))


def _instances(plan: CapacityPlan) -> Card:
    sizing = plan.advice.sizing if plan.advice is not None else None
    if isinstance(sizing, Unanswered):
        text = shortened(sizing.reason, _MOST_CHARACTERS)
        return Card(heading=_INSTANCES, big="Not known", text=text, link="sizing")
    if sizing is None:
        text = "Sizing, price and exhaustion date: capacity plan RUN --demand FILE --hosts FILE."
        return Card(heading=_INSTANCES, big="No demand given", text=text)
    best = best_host(sizing)
    if best is None:
        text = f"Not one of {len(sizing.unsized)} host types can carry the demand."
        return Card(heading=_INSTANCES, big="No host fits", text=text, link="sizing")
    cost = "no price known"
    if best.price_per_month is not None:
        cost = f"{price(best.price_per_month, best.currency)} per month"
    return Card(
        heading=_INSTANCES,
        big=f"{units.count(best.instances)} × {best.host}",
        text=f"{cost}. {_runs_out(plan)}",
        link="sizing",
    )


def _runs_out(plan: CapacityPlan) -> str:
    found = plan.advice.exhaustion if plan.advice is not None else None
    demand = plan.advice.demand if plan.advice is not None else None
    if not isinstance(found, Exhaustion) or not found.dates:
        return "Exhaustion date not known: the demand has no growth."
    date, whose = found.dates[0], instances_in_words(found, demand)
    if date.middle_at is None:
        return f"The {whose} last for 50 years."
    early, middle, late = (
        month(at, demand) for at in (date.early_at, date.middle_at, date.late_at)
    )
    if is_already(date.middle_at, demand):
        return f"The {whose} are already too few."
    return f"The {whose} run out in {middle} (80 %: {early} to {late})."


def _storm(plan: CapacityPlan) -> Card:
    if plan.advice is None:
        return Card(heading=_STORM, big="Not assessed", text="The plan was made without its run.")
    cost, storm = plan.advice.arrival_cost, plan.advice.storm
    if isinstance(cost, Unanswered):
        text = shortened(cost.reason, _MOST_CHARACTERS)
        return Card(heading=_STORM, big="Not known", text=text, link="storm")
    if not isinstance(storm, Storm) or not storm.cases:
        return _connects(cost)
    worst = max(storm.cases, key=lambda case: (case.is_metastable, case.shortest_window_s or 0.0))
    recovers = not any(case.is_metastable for case in storm.cases)
    window = "no time to spread reconnects over is long enough"
    if worst.shortest_window_s is not None:
        window = f"spread reconnects over at least {units.duration(worst.shortest_window_s)}"
    return Card(
        heading=_STORM,
        big="Recovers unaided" if recovers else "Does not recover",
        text=shortened(f"After {worst.event}: {window}.", _MOST_CHARACTERS),
        link="storm",
    )


def _connects(cost: ArrivalCost) -> Card:
    return Card(
        heading=_STORM,
        big=units.rate(cost.tested_per_s, "connects"),
        text="Fastest ramp that was taken without a failure. A demand gives the reconnect window.",
        link="storm",
    )


def _generator(generator: GeneratorVerdict) -> Card:
    big = "May be the limit" if was_watched(generator) else "Not known"
    if generator.is_trustworthy:
        big = "Near its limits" if is_near_limit(generator) else "Healthy"
    text = shortened(generator.statement, _MOST_CHARACTERS)
    return Card(heading="Load generator", big=big, text=text, link="generator")
