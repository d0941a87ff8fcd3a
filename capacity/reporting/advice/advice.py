"""The answers beyond the ladder, as sections of the report."""

from capacity.domain.answers.sizing import Advice
from capacity.domain.plan import CapacityPlan, Excuse
from capacity.reporting.advice.break_even import break_even_section
from capacity.reporting.advice.outlook import exhaustion_section, sensitivity_section
from capacity.reporting.advice.sizing import sizing_section
from capacity.reporting.advice.storm import storm_section
from capacity.reporting.document import Section


def advice_sections(plan: CapacityPlan | Excuse) -> tuple[Section, ...]:
    """Return a section an answer; none without a plan, or for a plan without advice."""
    if isinstance(plan, Excuse) or plan.advice is None:
        return ()
    return (*_of_demand(plan.advice), storm_section(plan.advice), *_of_plan(plan.advice))


def _of_demand(advice: Advice) -> tuple[Section, ...]:
    """Return what only a demand gives rise to."""
    if advice.sizing is None or advice.exhaustion is None:
        return ()
    return sizing_section(advice.sizing), exhaustion_section(advice.exhaustion, advice.demand)


def _of_plan(advice: Advice) -> tuple[Section, ...]:
    return break_even_section(advice.break_even), sensitivity_section(advice.sensitivities)
