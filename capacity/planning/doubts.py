"""Reasons to distrust a plan that are known from the record alone, each with number and remedy."""

from collections.abc import Iterator, Sequence
from statistics import median

from capacity.domain.observation import StepObservation
from capacity.domain.plan import Doubt, DoubtKind, GeneratorVerdict
from capacity.domain.resources import Limit, LimitState
from capacity.domain.run import RunRecord
from capacity.planning.verdict import NEAR_CPU_RATIO, NEAR_LAG_S, is_near_limit
from capacity.planning.windows import is_usable, plateau_of, restarts

FEWEST_STEPS = 4
MISSING_SAMPLES_RATIO = 0.1
CLOCK_ERROR_S = 0.25


def record_doubts(
    record: RunRecord, verdict: GeneratorVerdict, limits: Sequence[Limit]
) -> list[Doubt]:
    """Return the doubts that the record and the effective limits give rise to."""
    return [
        *_about_generator(record, verdict),
        *_about_steps(record),
        *_about_limits(limits),
        *_about_samples(record),
    ]


def _about_generator(record: RunRecord, verdict: GeneratorVerdict) -> Iterator[Doubt]:
    if is_near_limit(verdict):
        yield Doubt(
            kind=DoubtKind.GENERATOR_NEAR_LIMIT,
            statement=(
                "The generator came near its own limits:"
                f" timers {(verdict.worst_lag_p95_s or 0.0) * 1000:.1f} ms late at p95"
                f" (near above {NEAR_LAG_S * 1000:.0f} ms), busiest worker"
                f" {verdict.worst_cpu_ratio or 0.0:.0%} CPU (near above {NEAR_CPU_RATIO:.0%})."
            ),
            remedy="Add workers (--workers), or a second generator host, and measure again.",
        )
    reasons = [f"{step.index} ({step.void})" for step in record.steps if step.void is not None]
    if reasons:
        yield Doubt(
            kind=DoubtKind.VOID_STEPS,
            statement=f"{len(reasons)} of {len(record.steps)} steps are void: {', '.join(reasons)}.",
            remedy="Remove the named cause, usually by adding workers, and measure again.",
        )
    if record.manifest.same_host:
        yield Doubt(
            kind=DoubtKind.SHARED_HOST,
            statement=(
                "Generator and target share 1 host: the ceilings of host memory and CPU contain"
                " the generator's own use and are too low rather than too high."
            ),
            remedy="Run the generator on a host of its own.",
        )


def _about_steps(record: RunRecord) -> Iterator[Doubt]:
    used = [step for step in record.steps if is_usable(step)]
    if len(used) < FEWEST_STEPS:
        yield Doubt(
            kind=DoubtKind.FEW_STEPS,
            statement=f"Only {len(used)} steps can be used; {FEWEST_STEPS} are the least to trust.",
            remedy="Use a profile with more levels, or repeat the steps that failed.",
        )
    lost = sum(step.lost for step in used)
    if lost:
        yield Doubt(
            kind=DoubtKind.LOST_CONNECTIONS,
            statement=f"The target ended {lost} connections during the steps that are used.",
            remedy="Look into the target's log at that time: time-outs, limits, crashes.",
        )
    unmatched = sum(step.unmatched for step in used)
    if unmatched:
        yield Doubt(
            kind=DoubtKind.UNMATCHED_FRAMES,
            statement=f"The dialect has no rule for {unmatched} received frames.",
            remedy="Add a rule for them to the dialect, or the deliveries are counted too low.",
        )
    if record.missing:
        yield Doubt(
            kind=DoubtKind.RUN_INCOMPLETE,
            statement=f"The run is incomplete in {len(record.missing)} respects: "
            f"{'; '.join(record.missing)}.",
            remedy="Measure again to the end; what was recorded until then is used here.",
        )


def _about_limits(limits: Sequence[Limit]) -> Iterator[Doubt]:
    for limit in limits:
        if limit.state is LimitState.UNKNOWN:
            yield Doubt(
                kind=DoubtKind.UNKNOWN_LIMIT,
                statement=(
                    f"1 limit may bind unseen: {limit.resource} could not be read from"
                    f" {limit.source} ({limit.reason or 'no reason given'})."
                ),
                remedy=f"Make it readable, or declare limits.{limit.resource} in the target file.",
            )


def _about_samples(record: RunRecord) -> Iterator[Doubt]:
    changes = restarts(record.samples)
    if changes:
        yield Doubt(
            kind=DoubtKind.TARGET_RESTARTED,
            statement=(
                f"The target restarted {changes} times; only the life with most levels is used."
            ),
            remedy="Find out why it restarted, and measure again without.",
        )
    used = [step for step in record.steps if is_usable(step)]
    missing_ratio = _missing_ratio(record, used)
    if missing_ratio > MISSING_SAMPLES_RATIO:
        yield Doubt(
            kind=DoubtKind.SAMPLES_MISSING,
            statement=f"{missing_ratio:.0%} of the samples due on the plateaus are missing.",
            remedy="Look at the agent and the network to it, then measure again.",
        )
    offset = record.manifest.clock_offset
    if offset is None:
        yield Doubt(
            kind=DoubtKind.CLOCK_OFFSET,
            statement="The agent's clock was compared 0 times; it is taken to agree with ours.",
            remedy="Measure again with the agent reachable before the first step.",
        )
    elif offset.error_s > CLOCK_ERROR_S:
        yield Doubt(
            kind=DoubtKind.CLOCK_OFFSET,
            statement=(
                f"The agent's clock is known only to ±{offset.error_s:.3f} s"
                f" (wanted: {CLOCK_ERROR_S} s), so samples may belong to a neighbouring step."
            ),
            remedy="Use a quicker path to the agent, or longer plateaus.",
        )


def _missing_ratio(record: RunRecord, used: Sequence[StepObservation]) -> float:
    beats = [sample.interval_s for sample in record.samples if sample.interval_s > 0.0]
    if not beats:
        return 0.0
    beat_s = median(beats)
    offset = record.manifest.clock_offset
    offset_s = offset.offset_s if offset else 0.0
    plateaus = [plateau for step in used if (plateau := plateau_of(step)) is not None]
    # One beat less than fits: a plateau need not begin with a beat.
    due = sum(max(0, int((end - begin) / beat_s) - 1) for begin, end in plateaus)
    taken = sum(
        any(begin <= sample.at - offset_s <= end for begin, end in plateaus)
        for sample in record.samples
    )
    return max(0.0, 1.0 - taken / due) if due else 0.0
