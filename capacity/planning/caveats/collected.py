"""
All caveats of a record and its plan, gravest first: the one list of the checks in this package.

What the run ran into, what the forecast says of itself, what was measured off its line, and what the
record alone tells.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from capacity.domain.caveats import ASSUMED, Doubt, DoubtKind
from capacity.domain.estimates import Estimate
from capacity.domain.load import LoadVector
from capacity.domain.plan import GeneratorVerdict, MetLimit
from capacity.domain.resources import Limit, Resource
from capacity.domain.run import RunRecord
from capacity.planning.bottlenecks.ceilings import Walls
from capacity.planning.bottlenecks.latency_objectives import LatencyUse
from capacity.planning.caveats.forecast import plan_doubts
from capacity.planning.caveats.latency import latency_doubts
from capacity.planning.caveats.linearity import step_doubts
from capacity.planning.caveats.memory_jumps import reused_memory
from capacity.planning.caveats.processor import processor_doubts
from capacity.planning.caveats.run_evidence import evidence_doubts
from capacity.planning.caveats.run_record import record_doubts
from capacity.planning.costs.uneven_share import sharing_processes
from capacity.planning.evidence.load_components import Attribution
from capacity.planning.evidence.windows import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What a capacity was forecast from."""

    found: Walls
    capacity: Estimate
    highest: float
    """Most connections held, along the mix."""
    mix: LoadVector
    windows: Sequence[Window]
    attributed: Attribution
    latencies: Sequence[LatencyUse]
    met: Sequence[MetLimit]


@dataclass(frozen=True, slots=True, kw_only=True)
class Caveats:
    """What there is to doubt, apart from what nearly every plan takes for granted."""

    doubts: tuple[Doubt, ...]
    assumptions: tuple[Doubt, ...]


def caveats(
    record: RunRecord,
    verdict: GeneratorVerdict,
    limits: Sequence[Limit],
    forecast: Forecast | None = None,
) -> Caveats:
    """Return every caveat; without a *forecast*, those of the *record* and its *limits* alone."""
    found = [
        *(() if forecast is None else _about_forecast(record, forecast)),
        *record_doubts(record, verdict, limits),
    ]
    settled = _settled(forecast)
    return Caveats(
        doubts=tuple(doubt for doubt in found if doubt.kind not in ASSUMED),
        assumptions=tuple(doubt for doubt in found if doubt.kind in ASSUMED - settled),
    )


def _about_forecast(record: RunRecord, of: Forecast) -> Iterator[Doubt]:
    ladder = of.found.ladder
    yield from evidence_doubts(record, of.found, of.met, of.latencies)
    yield from plan_doubts(
        *(of.capacity, of.highest, ladder, of.attributed, of.mix),
        windows=of.windows,
        processes=sharing_processes(of.windows),
        has_threads=any(Resource.EVENT_LOOP in window.mean for window in of.windows),
    )
    yield from step_doubts(record, of.windows, of.attributed, of.capacity, ladder)
    yield from reused_memory(of.found, of.windows, of.capacity)
    yield from processor_doubts(record, of.windows, of.capacity, ladder)
    yield from latency_doubts(of.latencies, ladder, of.capacity)


def _settled(forecast: Forecast | None) -> set[DoubtKind]:
    """Return what need not be taken for granted any more: a cap that the run met is known."""
    walls = () if forecast is None else forecast.found.ladder
    is_met = any(wall.resource is Resource.APPLICATION_CONNECTIONS for wall in walls)
    return {DoubtKind.OWN_CAP} if is_met else set()
