"""What things are called in a report."""

from capacity.domain import units
from capacity.domain.plan import DoubtKind
from capacity.domain.resources import Limit, LimitState

NOT_MEASURED = "not measured"

DOUBTS: dict[DoubtKind, str] = {
    DoubtKind.LIMIT_MET: "the run met a limit",
    DoubtKind.UNEXPLAINED_USE: "use off its line where the run was cut off",
    DoubtKind.OBJECTIVE_NOT_FORECAST: "an objective without a forecast",
    DoubtKind.LIMIT_CHANGED: "a limit changed during the run",
    DoubtKind.EXTRAPOLATION: "far beyond what was tested",
    DoubtKind.UNKNOWN_LIMIT: "a limit that is not known",
    DoubtKind.OWN_CAP: "no cap in the application's own configuration below this",
    DoubtKind.COSTS_NOT_SEPARATED: "costs not told apart",
    DoubtKind.GENERATOR_NEAR_LIMIT: "generator near its own limit",
    DoubtKind.VOID_STEPS: "steps that could not be used",
    DoubtKind.SHARED_HOST: "generator and target share a host",
    DoubtKind.FEW_STEPS: "few steps",
    DoubtKind.POOR_FIT: "poor fit",
    DoubtKind.UNEVEN_SHARE: "processes with unequal shares",
    DoubtKind.NEAR_TIE: "two walls close together",
    DoubtKind.TARGET_RESTARTED: "target restarted",
    DoubtKind.LOST_CONNECTIONS: "target ended connections",
    DoubtKind.SAMPLES_MISSING: "samples missing",
    DoubtKind.UNMATCHED_FRAMES: "frames that were not understood",
    DoubtKind.CLOCK_OFFSET: "clocks not aligned",
    DoubtKind.RUN_INCOMPLETE: "run incomplete",
    DoubtKind.STEP_HAZARD: "use may jump",
    DoubtKind.BENDING: "use bends off its line",
    DoubtKind.KEPT: "not given back",
    DoubtKind.RISING: "memory still rose",
    DoubtKind.PROCESSOR_TIME: "processor time worth less",
    DoubtKind.SINGLE_EVENT_LOOP: "one thread carries the load",
    DoubtKind.OTHER_PROCESS: "another process takes part",
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
