"""
Reasons to distrust a plan, one row a kind: its name, what is looked at, and the bounds it is judged by.

A new kind is a member of `DoubtKind`, a row here, and a check in `planning/caveats/`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Self


class DoubtKind(StrEnum):
    """Why to distrust a plan."""

    LIMIT_MET = "limit_met"
    UNEXPLAINED_USE = "unexplained_use"
    OBJECTIVE_NOT_FORECAST = "objective_not_forecast"
    LIMIT_CHANGED = "limit_changed"

    EXTRAPOLATION = "extrapolation"
    UNKNOWN_LIMIT = "unknown_limit"
    OWN_CAP = "own_cap"
    COSTS_NOT_SEPARATED = "costs_not_separated"
    GENERATOR_NEAR_LIMIT = "generator_near_limit"
    VOID_STEPS = "void_steps"
    SHARED_HOST = "shared_host"
    FEW_STEPS = "few_steps"
    POOR_FIT = "poor_fit"
    NEAR_TIE = "near_tie"
    TARGET_RESTARTED = "target_restarted"
    LOST_CONNECTIONS = "lost_connections"
    BOUNDED_LIFETIME = "bounded_lifetime"
    UNSERVED_CONNECTIONS = "unserved_connections"
    REFUSED_SUBSCRIPTIONS = "refused_subscriptions"
    REFUSED_CONNECTIONS = "refused_connections"
    SAMPLES_MISSING = "samples_missing"
    UNMATCHED_FRAMES = "unmatched_frames"
    CLOCK_OFFSET = "clock_offset"
    RUN_INCOMPLETE = "run_incomplete"
    STEP_HAZARD = "step_hazard"
    BENDING = "bending"
    KEPT = "kept"
    RISING = "rising"
    PROCESSOR_TIME = "processor_time"
    SINGLE_EVENT_LOOP = "single_event_loop"
    UNEVEN_SHARE = "uneven_share"
    OTHER_PROCESS = "other_process"


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """One reason to distrust the plan, with its number and what to do about it."""

    kind: DoubtKind
    statement: str
    """One sentence with the number in it."""
    remedy: str


class Bound(float):
    """A number beyond which a caveat is raised, with where it is from. It compares as a float does."""

    source: str

    def __new__(cls, value: float, source: str) -> Self:
        bound = super().__new__(cls, value)
        bound.source = source
        return bound


@dataclass(frozen=True, slots=True, kw_only=True)
class CaveatFacts:
    """One row: all that is known of a kind of caveat beside the cases in which it is raised."""

    label: str
    """As reports name it."""
    check: str
    """What is looked at."""
    bounds: tuple[Bound, ...] = ()
    """By which it is judged; none where there is nothing to measure."""
    is_assumed: bool = False
    """Holds of nearly every plan and so tells nothing of this one: said in a line of its own."""


_JUDGEMENT = "chosen: no published bound is known"

FARTHEST_RATIO = Bound(10.0, "times the tested load, that a measured cost can be carried: chosen")
BY_DESIGN_RATIO = Bound(5.0, "the safe profile tests to 22 %, so that a ratio of 4.5 is meant")
NEAR_RATIO = Bound(
    2.0, "a wall that surely lies this many times beyond the capacity does not matter: chosen"
)
OFF_LINE_RATIO = Bound(
    0.1, "above the fitted line, over what the limit leaves; an unfinished ramp may have as much"
)
SATURATED_LAG_S = Bound(
    0.1, "chosen: above this the generator's own queue would be taken for the target's delay"
)
SATURATED_CPU_RATIO = Bound(0.95, "chosen: of a core, and a worker cannot use more than one")
NEAR_LAG_S = Bound(
    0.010, "chosen: a tenth of the lag at the 95th percentile that makes a step void"
)
NEAR_CPU_RATIO = Bound(0.8, "chosen: a queue of one server waits 4 services there (M/M/1)")
FEWEST_STEPS = Bound(4.0, "chosen: two levels make a line, and two more check it")
POOR_RESIDUAL_RATIO = Bound(0.1, _JUDGEMENT)
NEAR_TIE_RATIO = Bound(1.1, _JUDGEMENT)
MISSING_SAMPLES_RATIO = Bound(0.1, _JUDGEMENT)
CLOCK_ERROR_S = Bound(0.25, "chosen: a quarter of the agent's interval between samples")
REUSED_BYTES = Bound(
    1024.0,
    "bytes a connection: who takes less uses again what it kept of earlier connections, or set aside; chosen",
)
USUAL_BYTES = Bound(
    102_400.0,
    "bytes: what a connection may well take of a process that nothing is known of; chosen",
)
MATERIAL_RATIO = Bound(0.05, "of a ceiling: what moves it by less is not told; chosen")
HIGHEST_LEVEL_RATIO = Bound(0.1, _JUDGEMENT)
NOISE_FACTOR = Bound(
    4.0, "standard errors of a step; the line of the levels below errs by about as much again"
)
KEPT_RATIO = Bound(0.05, "of what the highest level added to the baseline: chosen")
KEPT_UNITS = Bound(2.0, "fewer left-over descriptors or threads are pools")
RISING_RATIO = Bound(0.01, "of what the connections took: chosen")
RISING_PAIRS = Bound(
    0.6, "τ of five samples that rise one after the other, but for two pairs out of place"
)
REFUSED_RATIO = Bound(0.01, "of the attempts to connect: chosen")
HELD_UP_RATIO = Bound(0.01, "of the periods of a quota: chosen")
HALF_BUSY_RATIO = Bound(
    0.5,
    "of the processors: beyond, hardware threads share their cores (B. Long, %CPU Utilization Is A Lie, 2025)",
)
BUSY_LOOP_RATIO = Bound(
    0.9, "at which a queue of one server waits ρ / (1 − ρ) = 9 services (M/M/1)"
)

CAVEAT_FACTS: Mapping[DoubtKind, CaveatFacts] = {
    DoubtKind.LIMIT_MET: CaveatFacts(
        label="the run hit a limit",
        check="whether a step failed or was cut off by the target",
    ),
    DoubtKind.UNEXPLAINED_USE: CaveatFacts(
        label="unexplained usage where the run was cut off",
        check="use in a ramp that was cut off, above the fitted line, over the room to the limit",
        bounds=(OFF_LINE_RATIO,),
    ),
    DoubtKind.OBJECTIVE_NOT_FORECAST: CaveatFacts(
        label="SLO not evaluated",
        check="whether each objective has a ceiling",
    ),
    DoubtKind.LIMIT_CHANGED: CaveatFacts(
        label="limit changed during the run",
        check="whether the agent read a limit anew",
    ),
    DoubtKind.EXTRAPOLATION: CaveatFacts(
        label="extrapolated beyond the tested load",
        check="capacity over the most connections tested, unless what binds is counted",
        bounds=(BY_DESIGN_RATIO, FARTHEST_RATIO),
    ),
    DoubtKind.UNKNOWN_LIMIT: CaveatFacts(
        label="unknown limit",
        check="whether each limit could be read",
    ),
    DoubtKind.OWN_CAP: CaveatFacts(
        label="no lower connection cap in the application's own configuration",
        check="whether somebody declared or read how many connections the application admits",
        is_assumed=True,
    ),
    DoubtKind.COSTS_NOT_SEPARATED: CaveatFacts(
        label="cost components not separable",
        check="condition number of the design (SEPARABLE_BELOW of models/design.py), and parts of"
        " the load that never varied",
    ),
    DoubtKind.GENERATOR_NEAR_LIMIT: CaveatFacts(
        label="load generator near its limits",
        check="timer lag at p95 and CPU of the busiest worker on the steps used",
        bounds=(NEAR_LAG_S, NEAR_CPU_RATIO),
    ),
    DoubtKind.VOID_STEPS: CaveatFacts(
        label="void steps",
        check="whether a step is void",
        bounds=(SATURATED_LAG_S, SATURATED_CPU_RATIO),
    ),
    DoubtKind.SHARED_HOST: CaveatFacts(
        label="generator and target share a host",
        check="whether the generator's host is the target's",
        is_assumed=True,
    ),
    DoubtKind.FEW_STEPS: CaveatFacts(
        label="few usable steps",
        check="how many steps can be used",
        bounds=(FEWEST_STEPS,),
    ),
    DoubtKind.POOR_FIT: CaveatFacts(
        label="poor fit",
        check="residuals over the mean use on walls near the capacity; costs lost in their scatter",
        bounds=(POOR_RESIDUAL_RATIO, NEAR_RATIO),
    ),
    DoubtKind.UNEVEN_SHARE: CaveatFacts(
        label="uneven distribution across processes",
        check="whether several processes fill descriptors of their own",
    ),
    DoubtKind.NEAR_TIE: CaveatFacts(
        label="two bottlenecks within 10 %",
        check="the second ceiling over the first",
        bounds=(NEAR_TIE_RATIO,),
    ),
    DoubtKind.TARGET_RESTARTED: CaveatFacts(
        label="target restarted",
        check="start times of the target's process",
    ),
    DoubtKind.LOST_CONNECTIONS: CaveatFacts(
        label="connections dropped by the target",
        check="connections that the target ended in the steps used",
    ),
    DoubtKind.REFUSED_SUBSCRIPTIONS: CaveatFacts(
        label="subscriptions refused",
        check="subscriptions that the target refused in the steps used",
    ),
    DoubtKind.REFUSED_CONNECTIONS: CaveatFacts(
        label="connections refused at first",
        check="attempts to connect that the target refused in the steps used, over all",
        bounds=(REFUSED_RATIO,),
    ),
    DoubtKind.BOUNDED_LIFETIME: CaveatFacts(
        label="connections ended at a set age",
        check="connections that the target ended when they were as old as all others that it ended",
    ),
    DoubtKind.UNSERVED_CONNECTIONS: CaveatFacts(
        label="connections open, not served",
        check="connections without an update or an answer to a ping on a plateau that was used",
    ),
    DoubtKind.SAMPLES_MISSING: CaveatFacts(
        label="missing samples",
        check="samples taken on the plateaus, of those due",
        bounds=(MISSING_SAMPLES_RATIO,),
    ),
    DoubtKind.UNMATCHED_FRAMES: CaveatFacts(
        label="unmatched frames",
        check="received frames for which the dialect has no rule",
    ),
    DoubtKind.CLOCK_OFFSET: CaveatFacts(
        label="clock offset uncertain",
        check="half of the round trip of the clocks' comparison",
        bounds=(CLOCK_ERROR_S,),
    ),
    DoubtKind.RUN_INCOMPLETE: CaveatFacts(
        label="incomplete run",
        check="what the record lacks of a finished run",
    ),
    DoubtKind.STEP_HAZARD: CaveatFacts(
        label="step change in usage",
        check="a jump between levels, pages shared since a fork, hash tables, garbage, a heap's cap: of the"
        " room to the limit; next to no memory for a connection of a target that may have been loaded before",
        bounds=(MATERIAL_RATIO, REUSED_BYTES, USUAL_BYTES),
    ),
    DoubtKind.BENDING: CaveatFacts(
        label="non-linear growth",
        check="the highest level against the line of those below it; a law that foretells latency"
        " better",
        bounds=(HIGHEST_LEVEL_RATIO, NOISE_FACTOR, MATERIAL_RATIO),
    ),
    DoubtKind.KEPT: CaveatFacts(
        label="not released after disconnect",
        check="use at one load after the highest level and before it",
        bounds=(KEPT_RATIO, KEPT_UNITS),
    ),
    DoubtKind.RISING: CaveatFacts(
        label="memory not at steady state",
        check="memory while connections stay: its slope, and how many pairs of samples rise",
        bounds=(RISING_RATIO, RISING_PAIRS),
    ),
    DoubtKind.PROCESSOR_TIME: CaveatFacts(
        label="CPU throttled or shared by SMT",
        check="periods in which a quota was used up; hardware threads that share a core",
        bounds=(HELD_UP_RATIO, HALF_BUSY_RATIO),
    ),
    DoubtKind.SINGLE_EVENT_LOOP: CaveatFacts(
        label="single-threaded bottleneck",
        check="whether one thread binds without an objective, or was not read at all",
        bounds=(BUSY_LOOP_RATIO,),
    ),
    DoubtKind.OTHER_PROCESS: CaveatFacts(
        label="another process serves connections",
        check="whether the process watched gained the connections that were opened",
    ),
}

ASSUMED = frozenset(kind for kind, facts in CAVEAT_FACTS.items() if facts.is_assumed)
