"""From a run and its plan to the first screen: how many, what runs out first, how sure, what to do."""

from capacity.domain import units
from capacity.domain.caveats import DoubtKind
from capacity.domain.observation import CutOffKind
from capacity.domain.plan import CapacityPlan, Excuse, Wall
from capacity.domain.run import RunRecord
from capacity.domain.words import RESOURCES
from capacity.reporting.document import Standing
from capacity.reporting.drawing.fan_chart import fan_chart
from capacity.reporting.drawing.headroom_chart import headroom_chart, near_walls
from capacity.reporting.first_screen.cards import excused_cards, planned_cards
from capacity.reporting.first_screen.demand import demand_per_instance, headroom
from capacity.reporting.first_screen.screen import FirstScreen, Line, Panel
from capacity.reporting.first_screen.texts import capital, first_clause, shortened
from capacity.reporting.verdict import clients_in_words, is_met, mix_in_words, standing
from capacity.reporting.words import limit

_INVALIDATING = {DoubtKind.EXTRAPOLATION, DoubtKind.GENERATOR_NEAR_LIMIT}
_MEASURE_AGAIN = "Measure again with more workers or generator hosts."
_MOST_ORIGIN, _MOST_REMEDY, _MOST_REASON = 90, 190, 420


def first_screen(record: RunRecord, plan: CapacityPlan | Excuse) -> FirstScreen:
    return _excused(record, plan) if isinstance(plan, Excuse) else _planned(record, plan)


def _planned(record: RunRecord, plan: CapacityPlan) -> FirstScreen:
    demand = demand_per_instance(plan)
    shown = near_walls(plan)
    left_out = len(plan.ladder) - len(shown)
    note = f"{units.counted(left_out, 'more resource')} in the table below"
    return FirstScreen(
        standing=standing(plan),
        badge=_badge(plan),
        about=_about(record),
        answer=_answer(plan, demand),
        bottleneck=_bottleneck(plan),
        chart=headroom_chart("headroom", plan, demand) if shown else "",
        chart_heading=(
            "Headroom of each resource: use of its limit, and connections at which it runs out"
            " (log scale, 90 % interval)"
        ),
        chart_note=note if left_out else "",
        cards=planned_cards(plan),
    )


def _badge(plan: CapacityPlan) -> str:
    match standing(plan):
        case Standing.REFUTED:
            return "Confidence: invalid"
        case Standing.DOUBTFUL:
            return f"Confidence: reduced, {units.counted(len(plan.doubts), 'caveat')}"
        case _:
            return "Confidence: good, no caveats"


def _about(record: RunRecord) -> str:
    manifest = record.manifest
    ends = [step.plateau_ended_at for step in record.steps if step.plateau_ended_at is not None]
    parts = [
        f"run {manifest.run}",
        units.moment(manifest.started_at),
        f"profile {manifest.profile.get('name', 'without a name')}",
    ]
    if ends:
        parts.append(units.duration(max(ends) - manifest.started_at))
    last = record.steps[-1] if record.steps else None
    if last and last.cut_off and last.cut_off.kind is not CutOffKind.STOPPED:
        parts.append(f"ended by a limit in step {units.step_number(last.index)}")
    return " · ".join(parts)


def _answer(plan: CapacityPlan, demand: float | None) -> Panel:
    safe = f"safe to plan with: {units.count(plan.safe_capacity)} (95 %)"
    if plan.is_beyond_reach:
        safe = "no safe capacity yet: extrapolated too far"
    elif plan.met is not None:
        safe = f"safe to plan with: {units.count(plan.safe_capacity)} (limit met)"
    return Panel(
        heading="Capacity of one instance",
        big=units.middle(plan.capacity),
        beside=f"connections · {safe}",
        svg=fan_chart("fan", plan, demand),
        lines=(
            Line(label="Interval", text=_interval(plan)),
            Line(label="Workload", text=f"{mix_in_words(plan.mix)}"),
            *_clients(plan),
            Line(label="Headroom", text=headroom(plan)),
        ),
    )


def _clients(plan: CapacityPlan) -> list[Line]:
    words = clients_in_words(plan)
    return [Line(label="Clients", text=words)] if words else []


def _interval(plan: CapacityPlan) -> str:
    """Return the fan in words; one range where it does not widen."""
    ranges = [" to ".join(units.interval_ends(each)) for each in plan.fan or (plan.capacity,)]
    if plan.capacity.low == plan.capacity.high:
        return "exact" if plan.met is None else "as this run met it"
    return " · ".join(
        f"{units.share(each.confidence)}: {shown}"
        for each, shown in zip(plan.fan or (plan.capacity,), ranges, strict=True)
    )


def _bottleneck(plan: CapacityPlan) -> Panel:
    if not plan.ladder:
        return Panel(heading="Bottleneck", big=capital(RESOURCES[plan.binding]))
    first = plan.ladder[0]
    return Panel(
        heading="Bottleneck",
        big=capital(RESOURCES[first.resource]),
        beside="met by this run"
        if is_met(plan)
        else f"first to run out with {units.share(first.binding_probability)} probability",
        lines=_reasons(first, plan),
        do=shortened(first_clause(_remedy(plan, first)), _MOST_REMEDY),
        after=_next(plan),
    )


def _remedy(plan: CapacityPlan, first: Wall) -> str:
    """Return what to do first: nobody raises a limit for the sake of a number that is invalid."""
    if standing(plan) is not Standing.REFUTED:
        return first.remedy
    told = [doubt.remedy for doubt in plan.doubts if doubt.kind in _INVALIDATING]
    return told[0] if told else _MEASURE_AGAIN


def _reasons(first: Wall, plan: CapacityPlan) -> tuple[Line, ...]:
    where = Line(
        label="Limit",
        text=f"{limit(first.limit)} ({shortened(first.limit.source, _MOST_ORIGIN)})",
    )
    if first.limit.scope == "met":
        return (where,)
    marginal = first.cost.marginal_along(plan.mix)
    cost = units.amount(marginal, first.resource)
    if marginal <= 0.0:
        return (where,)
    quotient = ((first.limit.value or 0.0) - first.cost.baseline.mid) / marginal
    idle = units.amount(first.cost.baseline.mid, first.resource)
    return (
        where,
        Line(label="Use", text=f"{cost} per connection; {idle} idle"),
        Line(
            label="Why",
            text=f"({limit(first.limit)} − {idle}) / {cost} = {units.count(quotient)} connections",
        ),
    )


def _next(plan: CapacityPlan) -> str:
    first, behind = plan.ladder[0], plan.ladder[1:4]
    nexts = ", ".join(
        f"{RESOURCES[wall.resource]} at {units.middle(wall.ceiling)}" for wall in behind
    )
    is_raised = first.gain is not None and standing(plan) is not Standing.REFUTED
    gain = f"That adds {units.about(first.gain or 0.0)} connections. " if is_raised else ""
    return f"{gain}Next bottlenecks: {nexts or 'none known'}."


def _excused(record: RunRecord, excuse: Excuse) -> FirstScreen:
    held = [round(step.load.connections) for step in record.steps if step.load is not None]
    highest = max(held, default=None)
    tested = "no plateau was measured" if highest is None else f"{units.count(highest)} connections"
    return FirstScreen(
        standing=Standing.NONE,
        badge="Inconclusive: no capacity could be derived",
        about=_about(record),
        answer=Panel(
            heading="Capacity of one instance",
            big="Not known",
            beside="no capacity, no safe capacity",
            lines=(
                Line(label="Why", text=shortened(excuse.reason, _MOST_REASON)),
                Line(label="Tested", text=tested),
                Line(label="Headroom", text="not known without a capacity"),
            ),
        ),
        bottleneck=Panel(
            heading="Bottleneck",
            big="Not known",
            do=shortened(excuse.remedy, _MOST_REASON),
            after="Cost per connection and next bottlenecks: not known. What was measured is below.",
        ),
        chart="",
        chart_heading="",
        chart_note="",
        cards=excused_cards(excuse),
    )
