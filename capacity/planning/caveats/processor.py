"""
Doubts about processor time: a second of it does not always get the same work done.

* Hardware threads that share a core: at half of the processors' time 60 to 65 % of what they can do
  is done (B. Long, "%CPU Utilization Is A Lie", 2025, measured on a Ryzen 9 5900X), so that a
  straight line from below half leads too far.
* A quota is given out by periods: a target that works in bursts is held up before its quota is used
  up on average (Linux, Documentation/scheduler/sched-bwc).

The third bias has the other sign and is no doubt: loops that batch take less for a message the more
there are.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from capacity.domain import units
from capacity.domain.caveats import HALF_BUSY_RATIO, HELD_UP_RATIO, Doubt, DoubtKind
from capacity.domain.estimates import Estimate
from capacity.domain.plan import Wall
from capacity.domain.resources import LimitState, Resource
from capacity.domain.run import RunRecord
from capacity.domain.sample import Sample
from capacity.planning.caveats.near import is_near
from capacity.planning.evidence.plausible import UNREAD, is_plausible
from capacity.planning.evidence.windows import Window, samples_on_plateaus

DONE_AT_HALF = (0.6, 0.65)
"""Of the work that all processors can do, at half of their time."""


def processor_doubts(
    record: RunRecord, windows: Sequence[Window], capacity: Estimate, walls: Sequence[Wall]
) -> list[Doubt]:
    """Return the doubts about a wall of processor time near *capacity*."""
    cpu = next((wall for wall in walls if wall.resource is Resource.CPU), None)
    if cpu is None or not is_near(cpu, capacity):
        return []
    return [*_about_shared_cores(record, cpu), *_about_quota(record, windows, cpu)]


def _about_shared_cores(record: RunRecord, cpu: Wall) -> Iterator[Doubt]:
    agent, limit = record.manifest.agent, cpu.limit.value or 0.0
    threads = agent.threads_per_core if agent is not None else None
    is_whole_host = cpu.limit.scope == "host" and cpu.limit.state is LimitState.KNOWN
    if (
        threads is None
        or threads < 2
        or not is_whole_host
        or cpu.used_at_highest > HALF_BUSY_RATIO * limit
    ):
        return
    least, most = (units.share(done / HALF_BUSY_RATIO - 1.0) for done in DONE_AT_HALF)
    yield Doubt(
        kind=DoubtKind.PROCESSOR_TIME,
        statement=(
            f"{threads} hardware threads share each core (SMT), and CPU utilization peaked at"
            f" {units.share(cpu.used_at_highest / limit)}. Above {units.share(HALF_BUSY_RATIO)} each thread gets"
            f" less done, so the CPU ceiling may be {least} to {most} too high."
        ),
        remedy="Measure above 50 % CPU utilization, or plan with a CPU ceiling lower by that much.",
    )


def _about_quota(record: RunRecord, windows: Sequence[Window], cpu: Wall) -> Iterator[Doubt]:
    held_up = max(_held_up_ratios(record, windows), default=0.0)
    if cpu.limit.scope != "cgroup" or held_up <= HELD_UP_RATIO:
        return
    yield Doubt(
        kind=DoubtKind.PROCESSOR_TIME,
        statement=(
            f"The target was CPU-throttled in up to {units.share(held_up)} of the quota periods,"
            f" although the peak step used only {units.amount(cpu.used_at_highest, Resource.CPU)} of"
            f" {units.amount(cpu.limit.value or 0.0, Resource.CPU)}. It works in bursts, so latency"
            " rises before the CPU ceiling is reached."
        ),
        remedy=(
            "Set an slo in the target file, so that latency limits the capacity, or use a longer quota"
            " period."
        ),
    )


def _held_up_ratios(record: RunRecord, windows: Sequence[Window]) -> Iterator[float]:
    """Yield for each step that was used in how many of the quota's periods there was no time left."""
    for _step, samples in samples_on_plateaus(record, windows):
        periods, held_up = (
            _grown(samples, name) for name in ("cpu_periods", "cpu_throttled_periods")
        )
        if periods > 0.0:
            yield held_up / periods


def _grown(samples: Sequence[Sample], counter: str) -> float:
    counts = [sample.counters.get(counter, UNREAD) for sample in samples]
    read = [count for count in counts if is_plausible(count)]
    # One that began anew adds nothing.
    return sum(max(0.0, after - before) for before, after in pairwise(read))
