"""
Whether the agent watches the process that the connections reach.

The generator knows how many connections it opened, and who accepts them gains at least one of three
things for each: an established connection on one of its ports, a descriptor, a thread. A process
that gained less than half of that is another one than the target, and costs measured on it are
nobody's. Of descriptors the fullest of several processes is known: times their number is the most
that all of them gained. What cannot be told from what comes and goes anyway is not judged.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import NamedTuple

from capacity.domain import units
from capacity.domain.caveats import Doubt, DoubtKind
from capacity.domain.observation import StepObservation
from capacity.domain.resources import Resource
from capacity.domain.run import RunRecord
from capacity.domain.sample import AgentInfo, Sample
from capacity.domain.words import listed, printable
from capacity.planning.evidence.missing_evidence import Gap
from capacity.planning.evidence.plausible import is_plausible
from capacity.planning.evidence.windows import (
    FILLING_PROCESSES,
    RESTART_TOLERANCE_S,
    is_usable,
    offset_of,
    plateau_of,
)

LEAST_GAIN_RATIO = 0.5
"""Of the connections opened: who gained less is not who accepted them."""
FEWEST_OPENED = 5
"""Fewer connections are lost in what any process opens and closes by itself."""
LEAST_SHARE = 0.05
"""Of what the process has anyway: fewer connections are lost in its own traffic."""
FEWEST_A_PROCESS = 10
"""Of several processes, fewer connections each leave the fullest as it was."""
RECENT_READINGS = 10
"""Before the load; older ones may be of another load."""
FEW_RATIO = 0.1
"""Of the connections opened: a doubt where the number of processes is not known."""

_COUNTS = {
    Resource.APPLICATION_CONNECTIONS: "connection",
    Resource.DESCRIPTORS: "descriptor",
}
_SHOWN_PIDS = 4
_SHOWN_LETTERS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Rise:
    """What the watched processes gained while connections were opened."""

    opened: float
    gained: Mapping[Resource, float]
    """As it was read: of descriptors, what the fullest process gained."""
    is_seen: bool | None
    """Whether they gained what the connections take; None where that cannot be told."""
    unknown: str | None = None
    """Why it cannot be told."""

    @property
    def statement(self) -> str:
        """Return "0 connections and 1 descriptor while 5 connections were opened"."""
        counts = [
            units.counted(max(0, round(self.gained[resource])), noun)
            for resource, noun in _COUNTS.items()
            if resource in self.gained
        ]
        were = "was" if round(self.opened) == 1 else "were"
        return f"{listed(counts)} while {units.counted(self.opened, 'connection')} {were} opened"


def rise(
    before: Sequence[Sample], after: Sequence[Sample], *, opened: float, processes: int
) -> Rise:
    """Return what was gained from the samples without the connections to those with them.

    *processes* is how many share the connections; 0 where nobody knows.
    """
    looks = {
        resource: _look(resource, was, is_now, opened, processes)
        for resource in _COUNTS
        if (was := _readings(before, resource)) and (is_now := _readings(after, resource))
    }
    threads = _gain(before, after, Resource.THREADS)
    verdicts = {look.is_seen for look in looks.values()}
    if threads is not None and threads >= opened * LEAST_GAIN_RATIO:
        verdicts.add(True)
    is_seen: bool | None = False
    unknown: str | None = None
    if not looks:
        is_seen, unknown = None, "neither its connections nor its descriptors could be read"
    elif True in verdicts:
        is_seen = True
    elif opened < FEWEST_OPENED:
        is_seen, unknown = None, "so few connections cannot be told from normal fluctuation"
    elif None in verdicts:
        is_seen = None
        unknown = "; ".join(look.unknown for look in looks.values() if look.unknown)
    return Rise(
        opened=opened,
        gained={resource: look.gained for resource, look in looks.items()},
        is_seen=is_seen,
        unknown=unknown,
    )


class _Look(NamedTuple):
    """What one kind of count says."""

    gained: float
    is_seen: bool | None
    unknown: str | None = None


def _look(
    resource: Resource,
    was: Sequence[float],
    is_now: Sequence[float],
    opened: float,
    processes: int,
) -> _Look:
    own, swing = median(was), max(was) - min(was)
    gained = median(is_now) - own
    if swing >= opened * LEAST_GAIN_RATIO or opened < own * LEAST_SHARE:
        had = units.counted(own, _COUNTS[resource])
        return _Look(
            gained, None, f"it has {had} anyway, of which {units.count(swing)} come and go"
        )
    is_share = resource is Resource.DESCRIPTORS
    if gained * (max(1, processes) if is_share else 1) >= opened * LEAST_GAIN_RATIO:
        return _Look(gained, True)
    if is_share and processes == 0:
        return _Look(gained, None, "how many processes share the connections is not known")
    if is_share and processes > 1 and opened < processes * FEWEST_A_PROCESS:
        return _Look(gained, None, f"{units.count(processes)} processes share few connections")
    return _Look(gained, False)


def mismatch(record: RunRecord) -> Gap | None:
    """Return what is missing where the run's agent watched another process than the target."""
    return mismatch_so_far(
        record.steps,
        record.samples,
        record.manifest.agent,
        clock_offset_s=offset_of(record.manifest.clock_offset),
        port=record.manifest.target.port,
    )


def mismatch_so_far(
    steps: Sequence[StepObservation],
    samples: Sequence[Sample],
    agent: AgentInfo | None,
    *,
    clock_offset_s: float = 0.0,
    port: int | None = None,
) -> Gap | None:
    """Return the same during a run, from the steps that are over; *port* is the target's."""
    if agent is None or agent.relay is not None:
        return None  # What a relay in front does to the counts is a doubt.
    missed = _missed(_rises(steps, samples, agent, clock_offset_s))
    if missed is None:
        return None
    at_port = "" if port is None else f" --port {port}, or"
    return Gap(
        f"The agent does not watch the target: {watched(agent)} gained {missed.statement}"
        f"{not_listening(agent, port)}.",
        f"Start the agent on the target's host with{at_port} --pid of the process that accepts the"
        " connections, and measure again; where a proxy shares or spreads connections, measure one"
        " instance's own port.",
    )


def identity_doubts(record: RunRecord) -> Iterator[Doubt]:
    """Yield what is to be doubted where another process takes part in serving the connections."""
    agent = record.manifest.agent
    if agent is None:
        return
    rises = _rises(record.steps, record.samples, agent, offset_of(record.manifest.clock_offset))
    missed = _missed(rises)
    if agent.relay is not None and missed is not None:
        yield Doubt(
            kind=DoubtKind.OTHER_PROCESS,
            statement=(
                f"{watched(agent)} gained {missed.statement}: {printable(agent.relay)} relays them,"
                " and multiplexes its own connections or spreads them over several instances."
            ),
            remedy="Measure the target's own port, without the relay, to size one instance.",
        )
    elif agent.relay is not None:
        yield Doubt(
            kind=DoubtKind.OTHER_PROCESS,
            statement=(
                f"Connections come to {watched(agent)} through {printable(agent.relay)}, whose limits"
                " are not seen: they may be lower than all that are."
            ),
            remedy=(
                "Measure it as well, with an agent started with its --pid; the lower of the two"
                " capacities counts."
            ),
        )
    if agent.passes_on_to is not None:
        yield _about_relay(agent, f"relays what it accepts to {printable(agent.passes_on_to)}")
    if not rises:
        return
    highest = max(rises, key=lambda found: found.opened)
    outgoing = highest.gained.get(Resource.OUTGOING_PORTS, 0.0)
    least = max(FEWEST_OPENED, highest.opened * LEAST_GAIN_RATIO)
    if agent.passes_on_to is None and outgoing >= least:
        yield _about_relay(
            agent,
            f"opened {units.counted(outgoing, 'connection')} to one address and port elsewhere while"
            f" {units.counted(highest.opened, 'connection')} were opened to it",
        )
    few = highest.gained.get(Resource.DESCRIPTORS)
    if (
        not agent.target_pids
        and missed is None
        and few is not None
        and few < highest.opened * FEW_RATIO
        and highest.opened >= FEWEST_OPENED
    ):
        yield Doubt(
            kind=DoubtKind.OTHER_PROCESS,
            statement=(
                f"{watched(agent)} gained {highest.statement}; whether its metrics cover the whole"
                " target is unknown."
            ),
            remedy=(
                "Check the labels that select the target's process in the target file, or use"
                " `capacity agent`, which sees which process accepts the connections."
            ),
        )


def _about_relay(agent: AgentInfo, what: str) -> Doubt:
    return Doubt(
        kind=DoubtKind.OTHER_PROCESS,
        statement=(
            f"{watched(agent)} {what}: the limits and costs are the relay's, and those of its upstream"
            " are not in this plan."
        ),
        remedy=(
            "Measure the upstream on its own port, with an agent started with its --pid; the lower"
            " of the two capacities counts."
        ),
    )


def watched(agent: AgentInfo) -> str:
    """Return who is watched, as a sentence calls it: "python3 (pid 12) on venue-1"."""
    pids = [str(pid) for pid in agent.target_pids[:_SHOWN_PIDS]]
    more = len(agent.target_pids) - len(pids)
    shown = ", ".join(pids) + (f" and {more} more" if more else "")
    name = printable(agent.target_name, _SHOWN_LETTERS)
    place = f" on {printable(agent.host, _SHOWN_LETTERS)}"
    return f"{name} (pid {shown}){place}" if pids else f"{name}{place}"


def not_listening(agent: AgentInfo, port: int | None) -> str:
    """Return ", and does not listen on port 443" where that is known, else nothing."""
    if port is None or agent.listening_ports is None or port in agent.listening_ports:
        return ""
    return f", and does not listen on port {port}"


def _missed(rises: Sequence[Rise]) -> Rise | None:
    """Return the largest rise that was not seen, where that holds of most and of the largest."""
    judged = [found for found in rises if found.is_seen is not None]
    if not judged:
        return None
    largest = max(judged, key=lambda found: found.opened)
    unseen = sum(not found.is_seen for found in judged)
    return largest if not largest.is_seen and 2 * unseen > len(judged) else None


def _rises(
    steps: Sequence[StepObservation],
    samples: Sequence[Sample],
    agent: AgentInfo,
    clock_offset_s: float,
) -> list[Rise]:
    """Return what was gained on each plateau that can be used, over what there was without load."""
    placed = sorted(
        (sample for sample in samples if is_plausible(sample.at)), key=lambda sample: sample.at
    )
    plateaus = [
        (step.load.connections, _between(placed, *plateau, clock_offset_s))
        for step in steps
        if is_usable(step) and step.load is not None and (plateau := plateau_of(step)) is not None
    ]
    if not plateaus:
        return []
    fewest, before = min(plateaus, key=lambda plateau: plateau[0])
    first = min(steps, key=lambda step: step.index)
    if fewest and first.index == 0:
        unloaded = [each for each in placed if each.at - clock_offset_s < first.started_at]
        if any(resource in each.used for each in unloaded for resource in _COUNTS):
            fewest, before = 0.0, unloaded
    return [
        _rise_to(before, inside, connections - fewest, agent)
        for connections, inside in plateaus
        if connections > fewest and inside
    ]


def _rise_to(
    before: Sequence[Sample], inside: Sequence[Sample], opened: float, agent: AgentInfo
) -> Rise:
    """Return the rise from before to the samples of a plateau, within one life of the target."""
    before = [sample for sample in before if _is_same_life(sample, inside[-1])]
    sharing = [sample.gauges.get(FILLING_PROCESSES, 0.0) for sample in inside]
    known = len(agent.target_pids)
    processes = (
        max(known, *(round(count) for count in sharing if is_plausible(count))) if known else 0
    )
    found = rise(before, inside, opened=opened, processes=processes)
    outgoing = _gain(before, inside, Resource.OUTGOING_PORTS)
    if outgoing is None:
        return found
    gained = {**found.gained, Resource.OUTGOING_PORTS: outgoing}
    return Rise(opened=opened, gained=gained, is_seen=found.is_seen, unknown=found.unknown)


def _between(
    placed: Sequence[Sample], begin: float, end: float, clock_offset_s: float
) -> list[Sample]:
    return [
        sample
        for sample in placed
        if begin <= sample.at - clock_offset_s <= end and sample.target_started_at is not None
    ]


def _is_same_life(one: Sample, other: Sample) -> bool:
    starts = one.target_started_at, other.target_started_at
    return (
        starts[0] is not None
        and starts[1] is not None
        and abs(starts[0] - starts[1]) <= RESTART_TOLERANCE_S
    )


def _readings(samples: Sequence[Sample], resource: Resource) -> list[float]:
    """Return the newest readings of a resource that can be."""
    values = [sample.used[resource] for sample in samples if resource in sample.used]
    return [value for value in values if is_plausible(value)][-RECENT_READINGS:]


def _gain(before: Sequence[Sample], after: Sequence[Sample], resource: Resource) -> float | None:
    was, is_now = _readings(before, resource), _readings(after, resource)
    return median(is_now) - median(was) if was and is_now else None
