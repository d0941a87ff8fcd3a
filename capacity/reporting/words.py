"""What things are called in a report."""

from capacity.domain import units
from capacity.domain.plan import DoubtKind
from capacity.domain.resources import Limit, LimitState

NOT_MEASURED = "not measured"

DOUBTS: dict[DoubtKind, str] = {
    DoubtKind.LIMIT_MET: "the run hit a limit",
    DoubtKind.UNEXPLAINED_USE: "unexplained usage where the run was cut off",
    DoubtKind.OBJECTIVE_NOT_FORECAST: "SLO not evaluated",
    DoubtKind.LIMIT_CHANGED: "limit changed during the run",
    DoubtKind.EXTRAPOLATION: "extrapolated beyond the tested load",
    DoubtKind.UNKNOWN_LIMIT: "unknown limit",
    DoubtKind.OWN_CAP: "no lower connection cap in the application's own configuration",
    DoubtKind.COSTS_NOT_SEPARATED: "cost components not separable",
    DoubtKind.GENERATOR_NEAR_LIMIT: "load generator near its limits",
    DoubtKind.VOID_STEPS: "void steps",
    DoubtKind.SHARED_HOST: "generator and target share a host",
    DoubtKind.FEW_STEPS: "few usable steps",
    DoubtKind.POOR_FIT: "poor fit",
    DoubtKind.UNEVEN_SHARE: "uneven distribution across processes",
    DoubtKind.NEAR_TIE: "two bottlenecks within 10 %",
    DoubtKind.TARGET_RESTARTED: "target restarted",
    DoubtKind.LOST_CONNECTIONS: "connections dropped by the target",
    DoubtKind.SAMPLES_MISSING: "missing samples",
    DoubtKind.UNMATCHED_FRAMES: "unmatched frames",
    DoubtKind.CLOCK_OFFSET: "clock offset uncertain",
    DoubtKind.RUN_INCOMPLETE: "incomplete run",
    DoubtKind.STEP_HAZARD: "step change in usage",
    DoubtKind.BENDING: "non-linear growth",
    DoubtKind.KEPT: "not released after disconnect",
    DoubtKind.RISING: "memory not at steady state",
    DoubtKind.PROCESSOR_TIME: "CPU throttled or shared by SMT",
    DoubtKind.SINGLE_EVENT_LOOP: "single-threaded bottleneck",
    DoubtKind.OTHER_PROCESS: "another process serves connections",
}


def reason(name: str) -> str:
    """Return a failure's name (connect_refused) as words."""
    return name.replace("_", " ")


def limit(known: Limit) -> str:
    if known.state is LimitState.UNLIMITED:
        return "unlimited"
    if known.state is LimitState.UNKNOWN or known.value is None:
        return "unknown"
    return units.amount(known.value, known.resource)


def origin(known: Limit) -> str:
    """Return where the limit was read, and why it could not be."""
    where = f"{known.scope}: {known.source}"
    return where if known.reason is None else f"{where}; {known.reason}"
