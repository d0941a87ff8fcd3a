"""From the merged counts of a step's phases to its observation, and the verdict whether it may be used."""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from capacity.domain.caveats import SATURATED_CPU_RATIO, SATURATED_LAG_S
from capacity.domain.load import LoadStep
from capacity.domain.observation import CutOff, GeneratorHealth, Quantiles, StepObservation
from capacity.loadgen.master.workers.merged_counts import MergedCounts
from capacity.loadgen.master.workers.private_counts import figures_of
from capacity.loadgen.protocol.counters import PHASES, POLL_PHASES, poll_series_of, series_of
from capacity.loadgen.wire.handshake import GENERATOR_FAULTS
from capacity.workload.profiles.profile import Phase


def observe(
    *,
    index: int,
    step: LoadStep,
    times: Mapping[Phase, float],
    ended_at: float,
    merged_counts: Mapping[Phase, MergedCounts],
    connections_peak: int,
    users: int,
    workers: int,
    disturbances: Collection[str],
    cut_off: CutOff | None = None,
) -> StepObservation:
    """Sum up one step. `times` says when each phase began (recorder's clock, epoch seconds)."""
    plateau = merged_counts.get(Phase.PLATEAU)
    every = _all_phases(merged_counts.values())
    lifetime = every.quantiles("lifetime")
    health = _health(plateau, workers)
    reached = Phase.PLATEAU in times and plateau is not None
    return StepObservation(
        index=index,
        step=step,
        started_at=times[Phase.RAMP],
        plateau_started_at=times[Phase.PLATEAU] if reached else None,
        plateau_ended_at=ended_at if reached else None,
        load=plateau.load() if plateau is not None and reached else None,
        users=users,
        connections_peak=connections_peak,
        connects=sum(merged.total("connects") for merged in merged_counts.values()),
        failures=every.failures,
        lost=max(0, sum(merged.total("lost") for merged in merged_counts.values())),
        handshake_time=every.quantiles("handshake_time"),
        opening=_by_phase(every, PHASES, series_of),
        request_opening=_by_phase(every, POLL_PHASES, poll_series_of),
        expired=sum(merged.total("expired") for merged in merged_counts.values()),
        lifetime_s=None if lifetime is None else lifetime.p50_s,
        **(_NOT_REACHED if plateau is None else _of_plateau(plateau, step)),
        freshness=None,
        generator=health,
        generator_opening=_health(merged_counts.get(Phase.RAMP), workers),
        private=figures_of(
            [merged.private for merged in merged_counts.values()],
            plateau.private if plateau is not None and reached else None,
        ),
        cut_off=cut_off,
        void=_void_reason(health, every.failures, disturbances),
    )


_NOT_REACHED: dict[str, Any] = {
    "gaps": 0,
    "mismatched": None,
    "unmatched": 0,
    "unmatched_by": {},
    "delivery_delay": None,
    "arrival_delay": None,
    "request_latency": None,
    "updates": None,
    "numbered": None,
    "followers": None,
    "unserved": None,
    "pinged": None,
    "half_open": None,
    "not_modified": 0,
    "body_age": None,
    "orders": {},
    "delivery_rate_error_ratio": None,
}
"""What a step says of its plateau where it had none."""


def _of_plateau(plateau: MergedCounts, step: LoadStep) -> dict[str, Any]:
    return {
        "gaps": plateau.total("gaps"),
        "mismatched": plateau.total("mismatched"),
        "unmatched": plateau.total("unmatched"),
        "unmatched_by": plateau.unmatched_by,
        "delivery_delay": plateau.quantiles("delivery_delay"),
        "arrival_delay": plateau.quantiles("arrival_delay"),
        "request_latency": plateau.quantiles("request_latency"),
        "updates": plateau.total("deliveries"),
        "numbered": plateau.total("deliveries") - plateau.total("unnumbered"),
        **{name: plateau.total(name) for name in ("followers", "unserved", "pinged", "half_open")},
        "not_modified": plateau.total("not_modified"),
        "body_age": plateau.quantiles("body_age"),
        "orders": plateau.order_figures(),
        "delivery_rate_error_ratio": plateau.delivery_rate_error_ratio(
            step.connections * step.subscriptions_per_connection
        ),
    }


def _all_phases(phases: Iterable[MergedCounts]) -> MergedCounts:
    """Return the failures and durations of all phases together."""
    every = MergedCounts()
    for merged in phases:
        for reason, count in merged.failures.items():
            every.failures[reason] = every.failures.get(reason, 0) + count
        for series, histogram in merged.histograms.items():
            every.histograms.setdefault(series, type(histogram)()).merge(histogram.counts)
    return every


def _by_phase(
    merged: MergedCounts, phases: Iterable[str], series: Callable[[str], str]
) -> dict[str, Quantiles]:
    return {
        phase: quantiles
        for phase in phases
        if (quantiles := merged.quantiles(series(phase))) is not None
    }


def _health(merged: MergedCounts | None, workers: int) -> GeneratorHealth | None:
    """Return how hard the workers worked in a phase; None where it was not reached or not told."""
    lag = merged.quantiles("lag") if merged is not None else None
    if merged is None or lag is None:
        return None
    queueing = merged.quantiles("queueing")
    return GeneratorHealth(
        workers=workers,
        lag_p95_s=lag.p95_s,
        cpu_ratio=merged.cpu_ratio,
        descriptors_ratio=merged.descriptors_ratio,
        queueing_p95_s=queueing.p95_s if queueing is not None else None,
    )


def _void_reason(
    health: GeneratorHealth | None, failures: Mapping[str, int], disturbances: Collection[str]
) -> str | None:
    ours = {reason: count for reason, count in failures.items() if reason in GENERATOR_FAULTS}
    if ours:
        reason, count = max(ours.items(), key=lambda item: item[1])
        if reason == "generator_no_row":
            return (
                f"the generator ran out of values: {count} times a connection found no row for itself;"
                " add rows to the files in values of the target file"
            )
        return f"the load generator hit its own limit: {reason} {count} times; add workers or source addresses"
    if disturbances:
        return "; ".join(sorted(disturbances))
    return None if health is None else _saturation(health)


def _saturation(health: GeneratorHealth) -> str | None:
    most = f"(p95; at most {SATURATED_LAG_S * 1000:.0f} ms)"
    if health.queueing_p95_s is not None and health.queueing_p95_s > SATURATED_LAG_S:
        waited = f"messages queued {health.queueing_p95_s * 1000:.0f} ms in its sockets {most}"
    elif health.lag_p95_s > SATURATED_LAG_S:
        waited = f"its scheduling lag was {health.lag_p95_s * 1000:.0f} ms {most}"
    elif health.cpu_ratio > SATURATED_CPU_RATIO:
        waited = (
            f"its busiest worker used {health.cpu_ratio:.0%} of a core "
            f"(at most {SATURATED_CPU_RATIO:.0%})"
        )
    else:
        return None
    return f"the load generator was saturated: {waited}; add a worker"
