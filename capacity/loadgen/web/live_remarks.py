"""What the live page remarks on: guards and how near they are, the load generator's health, caveats."""

from collections.abc import Iterator
from dataclasses import dataclass

from capacity.domain import units
from capacity.domain.caveats import Doubt
from capacity.domain.errors import GuardError
from capacity.domain.plan import CapacityPlan
from capacity.loadgen.master.controller import Controller
from capacity.loadgen.master.guards.acceptance import objectives_read
from capacity.loadgen.master.guards.blame import refusals_in
from capacity.planning.safety.guard_readings import guard_readings
from capacity.planning.safety.trip import Bounds

_NEAR = 0.7
"""Of a guard's bound, from where it is shown as near."""
_BUSY_CPU_RATIO = 0.8
"""Of the one core that a worker can use."""
SILENT_S = 10.0
"""Of an agent that samples each second: from then on what it said is old."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """One line with how good it is: ok, near, bad or caveat."""

    kind: str
    text: str
    note: str = ""


def of_guards(controller: Controller) -> Iterator[Remark]:
    samples = controller.recorder.samples
    if controller.preflight.agent is not None and samples:
        yield _of_target(controller)
    if controller.profile.guards is None:
        yield Remark(
            kind="caveat", text="no guards: the run goes on whatever happens to the target"
        )
        return
    if controller.ending is not None:
        yield _what_guards_did(controller)
        return
    counts = controller.counts
    refused = sum(refusals_in(counts.failures).values())
    readings = guard_readings(
        samples,
        controller.preflight.limits,
        Bounds(**controller.profile.guards.model_dump()),
        connections=controller.results.connections_peak,
        lost=counts.total("lost"),
        refused=refused,
        asked=refused + counts.total("connects"),
    )
    read = [(each.guard, each.statement, each.number / each.bound) for each in readings]
    if (slo := controller.target.slo) is not None:
        objectives = objectives_read(counts, slo)
        read += [("slo", each.statement, each.number / each.bound) for each in objectives]
    for guard, statement, nearness in sorted(read, key=lambda each: -each[2]):
        kind = "bad" if nearness > 1 else "near" if nearness >= _NEAR else "ok"
        yield Remark(kind=kind, text=f"{guard}: {statement}")


def _what_guards_did(controller: Controller) -> Remark:
    """Return which guard ended the run: what they read of a load that is off says nothing."""
    trips = [event.detail for event in controller.recorder.events if event.kind == "guard"]
    if trips:
        text = f"{trips[-1]['guard']}: {trips[-1]['statement']}"
        return Remark(kind="bad", text=text, note="this guard took the load off")
    if controller.exit_code == GuardError.exit_code:
        return Remark(kind="bad", text="a guard took the load off; which one is said above")
    return Remark(kind="ok", text="no guard took the load off")


def _of_target(controller: Controller) -> Remark:
    recorder, is_over = controller.recorder, controller.ending is not None
    newest = recorder.samples[-1]
    silent_s = recorder.now() - (newest.at - offset_s(controller))
    if not is_over and silent_s > SILENT_S:
        return Remark(
            kind="bad",
            text=f"the agent has been silent for {units.duration(round(silent_s))}: what is shown of the"
            " target is as old, and guards on its resources see nothing new",
            note="see that `capacity agent` still runs on the target's host and can be reached from here",
        )
    is_alive = newest.target_started_at is not None
    state = "is gone" if not is_alive else "was alive at the end" if is_over else "is alive"
    return Remark(kind="ok" if is_alive else "bad", text=f"the target's process {state}")


def offset_s(controller: Controller) -> float:
    """Return how far the agent's clock is ahead of ours."""
    offset = controller.preflight.clock_offset
    return offset.offset_s if offset is not None else 0.0


def of_generator(controller: Controller) -> Iterator[Remark]:
    gauges = controller.pool.gauges
    if gauges:
        cpu = max(float(each["cpu_ratio"]) for each in gauges.values())
        descriptors = max(float(each["descriptors_ratio"]) for each in gauges.values())
        yield Remark(
            kind="near" if cpu > _BUSY_CPU_RATIO or descriptors > _BUSY_CPU_RATIO else "ok",
            text=f"{units.counted(len(gauges), 'worker')}; the busiest uses {units.share(cpu)} of a core"
            f" and {units.share(descriptors)} of its descriptors",
        )
    healthy = [step.generator for step in controller.observations if step.generator is not None]
    if healthy:
        yield Remark(
            kind="ok",
            text=f"timers were at most {units.duration(healthy[-1].lag_p95_s)} late in the last step (p95)",
        )
    for step in controller.observations:
        if step.void is not None:
            yield Remark(
                kind="bad", text=f"step {units.step_number(step.index)} is void: {step.void}"
            )


def of_caveats(controller: Controller) -> Iterator[Remark]:
    if controller.preflight.agent is None:
        yield Remark(
            kind="caveat",
            text="no agent: nothing is known of the target's resources, and there is no forecast",
            note="start `capacity agent` on the target's host and name it in the target file",
        )
    made = controller.forecasts.made
    if made:
        answer = made[-1].answer
        assumed: tuple[Doubt, ...] = answer.assumptions if isinstance(answer, CapacityPlan) else ()
        for doubt in (*answer.doubts, *assumed):
            yield Remark(kind="caveat", text=doubt.statement, note=doubt.remedy)
