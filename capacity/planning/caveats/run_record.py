"""Reasons to distrust a plan that are known from the record alone, each with number and remedy."""

from collections.abc import Iterator, Sequence
from statistics import median

from capacity.domain import units
from capacity.domain.caveats import (
    CLOCK_ERROR_S,
    FEWEST_STEPS,
    MISSING_SAMPLES_RATIO,
    NEAR_CPU_RATIO,
    NEAR_LAG_S,
    Doubt,
    DoubtKind,
)
from capacity.domain.observation import CutOffKind, StepObservation
from capacity.domain.plan import GeneratorVerdict
from capacity.domain.resource_facts import HOST_WIDE
from capacity.domain.resources import MAY_ADMIT_MORE, Limit, LimitState, Resource
from capacity.domain.run import RunRecord
from capacity.domain.words import RESOURCES, listed, printable
from capacity.planning.caveats.generator import is_near_limit
from capacity.planning.caveats.other_process import identity_doubts
from capacity.planning.caveats.refused_connections import refusal_doubts
from capacity.planning.evidence.endings.client_rule import TARGET_SAID
from capacity.planning.evidence.plausible import LARGEST, is_plausible
from capacity.planning.evidence.unserved_steps import unserved_in, unserved_statement
from capacity.planning.evidence.updates import unmatched_classes, unmatched_example
from capacity.planning.evidence.windows import is_usable, offset_of, plateau_of, restarts

_SHORTEST_INTERVAL_S = 1e-3


def record_doubts(
    record: RunRecord, verdict: GeneratorVerdict, limits: Sequence[Limit]
) -> list[Doubt]:
    """Return the doubts that the record and the effective limits give rise to."""
    return [
        *_about_generator(record, verdict),
        *_about_steps(record),
        *refusal_doubts(record),
        *_about_limits(limits),
        *_about_own_cap(limits),
        *_about_samples(record),
        *identity_doubts(record),
    ]


def _about_generator(record: RunRecord, verdict: GeneratorVerdict) -> Iterator[Doubt]:
    if is_near_limit(verdict):
        yield Doubt(
            kind=DoubtKind.GENERATOR_NEAR_LIMIT,
            statement=(
                "The load generator came near its limits: scheduling lag p95"
                f" {units.duration(verdict.worst_lag_p95_s or 0.0)}"
                f" (threshold {units.duration(NEAR_LAG_S)}), busiest worker at"
                f" {units.share(verdict.worst_cpu_ratio or 0.0)} CPU"
                f" (threshold {units.share(NEAR_CPU_RATIO)})."
            ),
            remedy="Add workers (--workers), or a second generator host, and measure again.",
        )
    reasons = [
        f"step {units.step_number(step.index)} ({step.void})"
        for step in record.steps
        if step.void is not None
    ]
    if reasons:
        yield Doubt(
            kind=DoubtKind.VOID_STEPS,
            statement=(
                f"{len(reasons)} of {units.counted(len(record.steps), 'step')}"
                f" {'is' if len(reasons) == 1 else 'are'} void and excluded: {', '.join(reasons)}."
            ),
            remedy="Remove the cause, usually by adding workers (--workers), and measure again.",
        )
    if record.manifest.same_host:
        yield Doubt(
            kind=DoubtKind.SHARED_HOST,
            statement=(
                "Generator and target share a host. The usage of"
                f" {listed([RESOURCES[resource] for resource in HOST_WIDE])} includes the"
                " generator's, so these ceilings err on the low side, and both compete for the"
                " host's cores."
            ),
            remedy="Run the generator on a separate host.",
        )


def _about_steps(record: RunRecord) -> Iterator[Doubt]:
    used = [step for step in record.steps if is_usable(step)]
    if len(used) < FEWEST_STEPS:
        yield Doubt(
            kind=DoubtKind.FEW_STEPS,
            statement=(
                f"Only {units.counted(len(used), 'step')} {'is' if len(used) == 1 else 'are'} usable;"
                f" a reliable fit needs {FEWEST_STEPS:.0f}."
            ),
            remedy="Use a profile with more levels, or repeat the steps that failed.",
        )
    lost = sum(step.lost for step in used)
    if lost:
        yield Doubt(
            kind=DoubtKind.LOST_CONNECTIONS,
            statement=(
                f"The target dropped {units.counted(lost, 'connection')} during usable steps."
            ),
            remedy="Check the target's log at that time for timeouts, limits and crashes.",
        )
    refused = sum(step.failures.get("subscribe_rejected", 0) for step in used)
    if refused:
        yield Doubt(
            kind=DoubtKind.REFUSED_SUBSCRIPTIONS,
            statement=f"The target refused {units.counted(refused, 'subscription')} during usable steps:"
            " connections followed fewer channels than the profile asks for, and the plan is for those.",
            remedy="Look at the reasons in the run's events; a cap on the subscriptions of a connection or"
            " an account: lower subscriptions_per_connection, or use several connections or credentials.",
        )
    unconfirmed = sum(step.failures.get("subscribe_unconfirmed", 0) for step in used)
    if unconfirmed:
        yield Doubt(
            kind=DoubtKind.REFUSED_SUBSCRIPTIONS,
            statement=f"The target left {units.counted(unconfirmed, 'subscription')} without an answer until"
            " the end of usable steps: connections may follow fewer channels than the profile asks for.",
            remedy="Run `capacity doctor`, which tries them one by one: for a cap on the subscriptions of a"
            " connection lower subscriptions_per_connection, else correct subscribe.ack of the dialect.",
        )
    yield from _about_lifetimes(record)
    silent = [step for step in used if unserved_in(step)]
    if silent:
        yield Doubt(
            kind=DoubtKind.UNSERVED_CONNECTIONS,
            statement=f"Step {units.step_number(silent[0].index)}: {unserved_statement(silent[0])}.",
            remedy="Look for what lies between generator and target (NAT, balancer, proxy), and in the"
            " target's log.",
        )
    unmatched = sum(step.unmatched for step in used)
    if unmatched:
        yield Doubt(
            kind=DoubtKind.UNMATCHED_FRAMES,
            statement=(
                f"{units.counted(unmatched, 'received frame')} matched no rule of the dialect"
                f"{unmatched_classes(used)}{unmatched_example(record)}."
            ),
            remedy=(
                "Add a rule to the dialect if these frames are updates: they are not counted as"
                " deliveries. `capacity dialect try` shows each frame with what was made of it."
            ),
        )
    missing = unexplained(record)
    if missing:
        yield Doubt(
            kind=DoubtKind.RUN_INCOMPLETE,
            statement=(f"The record is incomplete: {'; '.join(missing)}."),
            remedy="Measure again and let the run finish; this plan uses what was recorded.",
        )


def _about_lifetimes(record: RunRecord) -> Iterator[Doubt]:
    expired = sum(step.expired or 0 for step in record.steps)
    ages = [step.lifetime_s for step in record.steps if step.lifetime_s]
    if not expired or not ages:
        return
    age = units.duration(median(ages))
    yield Doubt(
        kind=DoubtKind.BOUNDED_LIFETIME,
        statement=f"The target ended {units.counted(expired, 'connection')} when they were {age} old,"
        f" whatever the load{_goodbye(record)}. That bounds how long a connection lives, and not how many"
        " are held; they were opened again at once.",
        remedy="Find that bound (a proxy's longest connection or read time-out, a reload's grace, a time-out"
        " for clients that say nothing: heartbeat of the dialect) and raise it for the measurement, or size"
        f" for it: each connection reconnects every {age}"
        " (churn_per_s_per_connection of the profile's mix).",
    )


def _goodbye(record: RunRecord) -> str:
    """Return what the target said when it ended connections, as a clause."""
    texts = (event.detail.get("text") for event in record.events if event.kind == TARGET_SAID)
    said = next(
        (text for text in texts if isinstance(text, str) and text.startswith("closed")), None
    )
    return "" if said is None else f" ({printable(said, 160)})"


def unexplained(record: RunRecord) -> list[str]:
    """Return what of *record* is missing, less what a cut-off step explains: it would be cut off again."""
    is_cut_off = any(
        step.cut_off is not None and step.cut_off.kind is not CutOffKind.STOPPED
        for step in record.steps
    )
    explained = (
        "the end: the run was aborted",
        f"{len(record.manifest.steps) - len(record.steps)} of",
    )
    return [each for each in record.missing if not (is_cut_off and each.startswith(explained))]


def _about_limits(limits: Sequence[Limit]) -> Iterator[Doubt]:
    for limit in limits:
        if limit.state is LimitState.UNKNOWN:
            yield Doubt(
                kind=DoubtKind.UNKNOWN_LIMIT,
                statement=(
                    f"The limit on {RESOURCES[limit.resource]} is unknown: {limit.source} could not"
                    f" be read ({limit.reason or 'no reason given'}). It may be the bottleneck."
                ),
                remedy=f"Make it readable, or declare limits.{limit.resource} in the target file.",
            )
        elif limit.source.endswith(MAY_ADMIT_MORE):
            yield Doubt(
                kind=DoubtKind.UNKNOWN_LIMIT,
                statement=(
                    f"Whether the limit on {RESOURCES[limit.resource]} holds is unknown"
                    f" ({limit.source}). It is taken to hold, which is the safe side."
                ),
                remedy="Fill a copy of the target (--profile break), or upgrade the application.",
            )


def _about_own_cap(limits: Sequence[Limit]) -> Iterator[Doubt]:
    """Doubt that the application takes whatever its host allows: its configuration is not on show."""
    if all(limit.resource is not Resource.APPLICATION_CONNECTIONS for limit in limits):
        yield Doubt(
            kind=DoubtKind.OWN_CAP,
            statement=(
                "The application's own connection limit (worker_connections, maxconn, a licence) is"
                " not readable on the host and not declared. It may be the bottleneck."
            ),
            remedy=(
                "Look it up and declare limits.application_connections in the target file; if there"
                " is none, declare a value above all other ceilings."
            ),
        )


def _about_samples(record: RunRecord) -> Iterator[Doubt]:
    changes = restarts(record.samples)
    if changes:
        yield Doubt(
            kind=DoubtKind.TARGET_RESTARTED,
            statement=(
                f"The target restarted {units.counted(changes, 'time')}; only the period with the"
                " most connection levels is used."
            ),
            remedy="Find out why it restarted, and measure again.",
        )
    used = [step for step in record.steps if is_usable(step)]
    if (missing := _missing_samples(record, used)) is not None:
        yield Doubt(
            kind=DoubtKind.SAMPLES_MISSING,
            statement=missing,
            remedy="Check the agent and the network to it, then measure again.",
        )
    offset = record.manifest.clock_offset
    if offset is None or not is_plausible(abs(offset.offset_s)):
        yield Doubt(
            kind=DoubtKind.CLOCK_OFFSET,
            statement="The agent's clock offset was not measured; both clocks are assumed to agree.",
            remedy="Measure again with the agent reachable before the first step.",
        )
    elif not offset.error_s <= CLOCK_ERROR_S:
        yield Doubt(
            kind=DoubtKind.CLOCK_OFFSET,
            statement=(
                f"The agent's clock offset is uncertain by ±{units.duration(offset.error_s)}"
                f" (threshold {units.duration(CLOCK_ERROR_S)}), so samples may be assigned to the"
                " wrong step."
            ),
            remedy="Use a network path with less latency to the agent, or longer plateaus.",
        )


def _missing_samples(record: RunRecord, used: Sequence[StepObservation]) -> str | None:
    """Return what is missing of the agent's samples on the plateaus, where that is too much."""
    intervals_s = (sample.interval_s for sample in record.samples)
    plausible_s = [each_s for each_s in intervals_s if _SHORTEST_INTERVAL_S <= each_s <= LARGEST]
    if not plausible_s:
        return None
    interval_s = median(plausible_s)
    offset_s = offset_of(record.manifest.clock_offset)
    plateaus = [plateau for step in used if (plateau := plateau_of(step)) is not None]
    taken = [
        sum(begin <= sample.at - offset_s <= end for sample in record.samples)
        for begin, end in plateaus
    ]
    # One less than fits: a plateau need not begin with a sample.
    due = sum(max(0, int((end - begin) / interval_s) - 1) for begin, end in plateaus)
    missing_ratio = 1.0 - sum(taken) / due if due else 0.0
    if missing_ratio > MISSING_SAMPLES_RATIO:
        return f"{units.share(missing_ratio)} of the samples expected on the plateaus are missing."
    # Of short plateaus, what one has more than its due must not hide that another has nothing.
    blank = sum(
        count == 0 and end - begin > interval_s
        for count, (begin, end) in zip(taken, plateaus, strict=True)
    )
    if blank > MISSING_SAMPLES_RATIO * len(plateaus):
        return f"{blank} of {units.counted(len(plateaus), 'plateau')} have no sample at all."
    return None
