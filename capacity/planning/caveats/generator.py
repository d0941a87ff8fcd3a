"""
Was it the target that was measured, or the generator?

Void steps were set aside by the recorder and are not used. What is judged here is whether the
steps that are used can be believed, and whether they came near the generator's own limits.
"""

from collections.abc import Sequence

from capacity.domain import units
from capacity.domain.caveats import NEAR_CPU_RATIO, NEAR_LAG_S
from capacity.domain.observation import GeneratorHealth, StepObservation
from capacity.domain.plan import GeneratorVerdict
from capacity.planning.evidence.windows import is_usable


def generator_verdict(steps: Sequence[StepObservation]) -> GeneratorVerdict:
    """Return the judgement over all *steps*, with the worst readings of the usable ones."""
    void = tuple(sorted(step.index for step in steps if step.void is not None))
    used = [step for step in steps if is_usable(step)]
    healths = [step.generator for step in used if step.generator is not None]
    lag_s = max((health.lag_p95_s for health in healths), default=None)
    cpu_ratio = max((health.cpu_ratio for health in healths), default=None)
    unwatched = len(used) - len(healths)
    is_trustworthy = bool(used) and not unwatched and 2 * len(void) <= len(steps)
    return GeneratorVerdict(
        is_trustworthy=is_trustworthy,
        statement=_statement(len(steps), len(used), len(void), unwatched, healths),
        worst_lag_p95_s=lag_s,
        worst_cpu_ratio=cpu_ratio,
        void_steps=void,
    )


def is_near_limit(verdict: GeneratorVerdict) -> bool:
    """Tell whether the generator came near its limits on a step that is used."""
    return (verdict.worst_lag_p95_s or 0.0) > NEAR_LAG_S or (
        verdict.worst_cpu_ratio or 0.0
    ) > NEAR_CPU_RATIO


def was_watched(verdict: GeneratorVerdict) -> bool:
    """Tell whether there is a step that says how the generator fared."""
    return verdict.worst_lag_p95_s is not None or bool(verdict.void_steps)


def _statement(
    steps: int, used: int, void: int, unwatched: int, healths: Sequence[GeneratorHealth]
) -> str:
    if not steps:
        return "No step was recorded."
    if not used:
        return f"No usable step: of {units.counted(steps, 'step')}, {void} void because of the generator."
    if unwatched:
        return (
            f"Generator health was not recorded on {unwatched} of"
            f" {units.counted(used, 'usable step')}."
        )
    lag_s = max(health.lag_p95_s for health in healths)
    cpu_ratio = max(health.cpu_ratio for health in healths)
    reading = (
        f"scheduling lag p95 ≤ {units.duration(lag_s)},"
        f" busiest worker at {units.share(cpu_ratio)} CPU"
    )
    if 2 * void > steps:
        return f"Generator saturated on {void} of {steps} steps, more than half; on the others {reading}."
    if void:
        return f"{void} of {steps} steps are void and excluded; on the others {reading}."
    return f"Healthy on {used} of {units.counted(used, 'usable step')}: {reading}."
