"""The proofs of the answers beyond the bottlenecks, by the anchor of their section."""

import math

from capacity.domain.answers.sizing import (
    Advice,
    ArrivalCost,
    Exhaustion,
    Sizing,
    Storm,
    Unanswered,
)
from capacity.domain.plan import CapacityPlan
from capacity.domain.run import RunRecord
from capacity.reporting.document import Section
from capacity.reporting.proofs.outlook import exhaustion_proof
from capacity.reporting.proofs.reconnect_storm import arrival_proof, storm_proof
from capacity.reporting.proofs.sizing import sizing_proof

QUESTIONS = ("sizing", "storm", "exhaustion")
_NOT_ASKED = Unanswered(
    reason="the plan was made without a demand",
    remedy="plan with --demand NAME, and --hosts NAME for other host types",
)


def answer_proof(
    question: str, record: RunRecord, plan: CapacityPlan
) -> tuple[Section, ...] | Unanswered:
    """Return where the numbers of one of QUESTIONS come from, or why it has no answer.

    *plan* holds its advice, *record* is the run as it was recorded.
    """
    advice = plan.advice
    if advice is None or (advice.demand is None and question != "storm"):
        return _NOT_ASKED
    if question == "sizing":
        return _sizing(plan, advice)
    return _storm(record, plan, advice) if question == "storm" else _exhaustion(advice)


def _sizing(plan: CapacityPlan, advice: Advice) -> tuple[Section, ...] | Unanswered:
    if not isinstance(advice.sizing, Sizing) or advice.demand is None:
        return advice.sizing if isinstance(advice.sizing, Unanswered) else _NOT_ASKED
    return sizing_proof(plan, advice.sizing, advice.demand)


def _storm(
    record: RunRecord, plan: CapacityPlan, advice: Advice
) -> tuple[Section, ...] | Unanswered:
    cost, storm = advice.arrival_cost, advice.storm
    if not isinstance(cost, ArrivalCost):
        return cost
    arrivals = arrival_proof(record, plan, cost)
    if not isinstance(storm, Storm) or not isinstance(advice.sizing, Sizing):
        return arrivals or (storm if isinstance(storm, Unanswered) else _NOT_ASKED)
    assert advice.demand is not None, "a storm is told only where a demand was given"
    host = next(each for each in advice.sizing.hosts if each.host == storm.host)
    connections = advice.sizing.connections.high
    return (*arrivals, *storm_proof(storm, host, connections, cost, advice.demand))


def _exhaustion(advice: Advice) -> tuple[Section, ...] | Unanswered:
    found = advice.exhaustion
    if not isinstance(found, Exhaustion) or advice.demand is None:
        return found if isinstance(found, Unanswered) else _NOT_ASKED
    return exhaustion_proof(found, advice.demand)


def numbers_of_answers(advice: Advice) -> tuple[tuple[float, str], ...]:
    """Return the numbers that the answers show, each with its question."""
    found: list[tuple[float | None, str]] = []
    if isinstance(advice.sizing, Sizing):
        found.append((advice.sizing.connections.high, "sizing"))
        for host in advice.sizing.hosts:
            shown = (
                host.instances,
                host.safe_connections,
                host.usable_connections,
                host.survivors,
                host.connections_at_peak,
                host.connections_after_loss,
                host.price_per_month,
            )
            found += [(number, "sizing") for number in shown]
    if isinstance(advice.storm, Storm):
        found.append((advice.storm.instances_for_window, "storm"))
        for case in advice.storm.cases:
            rates = (case.arrivals, case.served_per_s, case.shortest_window_s, case.arrivals_per_s)
            found += [(number, "storm") for number in rates]
    if isinstance(advice.exhaustion, Exhaustion):
        found += [(date.connections.mid, "exhaustion") for date in advice.exhaustion.dates]
    return tuple(
        (number, of) for number, of in found if number is not None and math.isfinite(number)
    )
