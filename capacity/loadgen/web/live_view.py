"""What the live page says of a run, as texts and figures; it asks the controller and changes nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from capacity.domain import units
from capacity.domain.event_words import event_in_words
from capacity.domain.load import LoadStep
from capacity.domain.plan import CapacityPlan
from capacity.domain.resources import Resource
from capacity.domain.run import RunEvent
from capacity.domain.words import RESOURCES, listed, private_part
from capacity.loadgen.master.controller import Controller
from capacity.loadgen.master.run_endings import in_words
from capacity.loadgen.master.steps.adaptive_steps import AdaptiveSteps
from capacity.loadgen.web import live_drawings
from capacity.loadgen.web.live_remarks import Remark, of_caveats, of_generator, of_guards, offset_s
from capacity.loadgen.web.resource_rows import ResourceRow, resource_rows
from capacity.workload.profiles.profile import Phase

NEWEST_EVENTS = 8
MOST_SAMPLES = 2400
"""That a drawing looks at; of a day's it takes every 36th."""
_QUIET = frozenset({"phase", "climb", "trial", "finished", "aborted"})


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Everything the page shows of one run, present or last."""

    step: str
    phase: str
    upcoming: str
    open_connections: str
    of_both_kinds: str
    """How many of them are private, where the target has such."""
    target_connections: str
    flow: str
    ending: str
    forecast: str
    forecast_note: str
    forecast_figure: str
    timeline: str
    rows: list[ResourceRow]
    others: list[ResourceRow]
    guards: list[Remark]
    generator: list[Remark]
    caveats: list[Remark]
    events: list[tuple[str, str]]


def view_of(controller: Controller) -> View:
    """Return what there is to say of the run of *controller* at this moment."""
    recorder, preflight = controller.recorder, controller.preflight
    made = controller.forecasts.made
    newest = made[-1].answer if made else None
    rows, others = resource_rows(recorder.samples, preflight.limits, newest)
    figure, said, note = _forecast(controller)
    total = f" of {controller.total_steps}" if controller.total_steps else ""
    point = recorder.points[-1] if recorder.points else None
    flow = (
        f"{units.rate(point.deliveries_per_s, 'updates')}, {units.rate(point.requests_per_s, 'requests')}"
        if point is not None
        else ""
    )
    theirs = [
        s.used[Resource.APPLICATION_CONNECTIONS]
        for s in recorder.samples[-5:]
        if Resource.APPLICATION_CONNECTIONS in s.used
    ]
    ending = controller.ending
    return View(
        step=f"{units.step_number(controller.position.index)}{total}",
        phase=_phase(controller),
        upcoming=_upcoming(controller),
        open_connections=units.count(controller.open_connections),
        of_both_kinds=private_part(controller.open_private).removeprefix(", "),
        target_connections=units.count(theirs[-1]) if theirs else "not counted",
        flow=flow,
        ending="" if ending is None else in_words(ending, controller.observations),
        forecast=said,
        forecast_note=note,
        forecast_figure=figure,
        timeline=_timeline(controller),
        rows=rows,
        others=others,
        guards=list(of_guards(controller)),
        generator=list(of_generator(controller)),
        caveats=list(of_caveats(controller)),
        events=_events(controller),
    )


def run_name(controller: Controller) -> str:
    return f"{controller.target.name}, profile {controller.profile.name}"


def _phase(controller: Controller) -> str:
    if drill := drill_name(controller):
        return drill
    position, step = controller.position, controller.step
    passed_s = controller.elapsed_s - position.since_s
    if position.phase is Phase.RAMP:
        return f"ramp to {units.counted(step.connections, 'connection')}"
    lasts_s = step.settle_s if position.phase is Phase.SETTLE else step.plateau_s
    left_s = max(0.0, lasts_s - passed_s)
    held = units.counted(step.connections, "connection")
    return f"{position.phase} at {held}, {units.duration(round(left_s))} left"


def _upcoming(controller: Controller) -> str:
    drills = controller.drills
    if controller.stops_after_step:
        part = "step" if drills.number is None else "storm drill"
        return f"the run ends when this {part} is over, as asked for"
    if drills.habits:
        number = 0 if drills.number is None else drills.number + 1
        return _drill(drills.habits, number) or "nothing; this is the last storm drill"
    following = controller.steps[controller.position.index + 1 :]
    if following:
        return _load(following[0])
    course = controller.course
    if isinstance(course, AdaptiveSteps):
        rules = course.rules
        most = min(rules.most, round(controller.step.connections * rules.growth))
        return (
            f"decided from this step; at most {units.counted(most, 'connection')}"
            f" ({rules.most_by}: {units.count(rules.most)})"
        )
    return (
        "decided from whether this step holds"
        if course.is_search
        else "nothing; this is the last step"
    )


def drill_name(controller: Controller) -> str:
    """Return which storm drill is on, with how its clients come back; nothing while none is."""
    number = controller.drills.number
    return "" if number is None else _drill(controller.drills.habits, number)


def _drill(habits: Sequence[str], number: int) -> str:
    """Return the name of a storm drill; nothing behind the last one."""
    if number >= len(habits):
        return ""
    habit = habits[number].replace("_", " ")
    return f"storm drill {number + 1} of {len(habits)}, {habit}"


def _load(step: LoadStep) -> str:
    parts = [units.counted(step.connections, "connection")]
    if step.connections and not step.subscriptions_per_connection:
        parts.append("idle")
    if step.requests_per_s:
        parts.append(units.rate(step.requests_per_s, "requests"))
    return ", ".join(parts)


def _forecast(controller: Controller) -> tuple[str, str, str]:
    """Return the figure, the capacity in words and what to know of it."""
    made = controller.forecasts.made
    plans = [
        (each.after_step, each.answer) for each in made if isinstance(each.answer, CapacityPlan)
    ]
    if not plans:
        reason = (
            made[-1].answer.reason if made and not isinstance(made[-1].answer, CapacityPlan) else ""
        )
        return "", _no_forecast(controller), reason or _why_none(controller)
    _step, plan = plans[-1]
    figure = live_drawings.forecast(
        [(step, each.capacity) for step, each in plans], plan.highest_connections
    )
    if plan.is_beyond_reach:
        return figure, _no_forecast(controller), "too far beyond what was tested to be believed"
    said = f"{units.middle(plan.capacity)} connections"
    note = (
        f"{units.interval(plan.capacity)}; bottleneck: {RESOURCES[plan.binding]}; safe capacity"
        f" {units.count(plan.safe_capacity)}; {units.number(plan.extrapolation_ratio, 2)} times what was tested"
    )
    if plan.next_level is not None:
        note += (
            f"; at {units.counted(plan.next_level.connections, 'connection')} the interval narrows to"
            f" ± {units.share(plan.next_level.half_width_ratio)}"
        )
    return figure, said, note


def _no_forecast(controller: Controller) -> str:
    return "No forecast yet" if controller.ending is None else "No forecast"


def _why_none(controller: Controller) -> str:
    if controller.ending is None:
        return "the first one follows the first levels"
    return "too few levels were measured before the end"


def _timeline(controller: Controller) -> str:
    recorder = controller.recorder
    began_at, ahead_s = recorder.started_at, offset_s(controller)
    ours = [(point.at - began_at, float(point.open_connections)) for point in recorder.points]
    every = 1 + len(recorder.samples) // MOST_SAMPLES
    theirs = [
        (sample.at - ahead_s - began_at, sample.used[Resource.APPLICATION_CONNECTIONS])
        for sample in recorder.samples[::-every][::-1]
        if Resource.APPLICATION_CONNECTIONS in sample.used
    ]
    plateaus = [
        (step.plateau_started_at - began_at, step.plateau_ended_at - began_at)
        for step in controller.observations
        if step.plateau_started_at is not None and step.plateau_ended_at is not None
    ]
    return live_drawings.timeline(
        live_drawings.thinned(ours),
        live_drawings.thinned(theirs),
        plateaus,
        controller.step.connections,
    )


def _events(controller: Controller) -> list[tuple[str, str]]:
    began_at = controller.recorder.started_at
    told = [event for event in controller.recorder.events if event.kind not in _QUIET]
    return [
        (_clock(event.at - began_at), _event_text(event))
        for event in told[: -NEWEST_EVENTS - 1 : -1]
    ]


def _event_text(event: RunEvent) -> str:
    detail: Mapping[str, Any] = event.detail
    name = event.kind.replace("_", " ")
    if event.kind == "eased":
        return f"arrivals slowed to {units.rate(detail['connects_per_s'], 'connects')}: {detail['statement']}"
    if event.kind == "guard":
        return f"guard {detail['guard']}: {detail['statement']}"
    if (said := event_in_words(event.kind, detail)) is not None:
        return said
    facts = [str(detail[key]) for key in ("reason", "note", "worker", "statement") if key in detail]
    return f"{name}: {listed(facts)}" if facts else name


def _clock(passed_s: float) -> str:
    minutes, seconds = divmod(max(0, round(passed_s)), 60)
    return f"{minutes}:{seconds:02d}"
