"""Doubts where another process takes part in serving the connections: a relay, an upstream, one unseen."""

from collections.abc import Iterator

from capacity.domain import units
from capacity.domain.caveats import Doubt, DoubtKind
from capacity.domain.resources import LimitState, Resource
from capacity.domain.run import RunRecord
from capacity.domain.sample import AgentInfo
from capacity.domain.words import printable
from capacity.planning.evidence.identity.count_gains import FEWEST_OPENED, LEAST_GAIN_RATIO
from capacity.planning.evidence.identity.plateau_gains import missed_rise, plateau_rises
from capacity.planning.evidence.identity.target_identity import unseen_limits, watched
from capacity.planning.evidence.windows import offset_of

FEW_RATIO = 0.1
"""Of the connections opened: a doubt where the number of processes is not known."""


def identity_doubts(record: RunRecord) -> Iterator[Doubt]:
    """Yield what is to be doubted where another process takes part in serving the connections."""
    agent = record.manifest.agent
    if agent is None:
        return
    rises = plateau_rises(
        record.steps, record.samples, agent, offset_of(record.manifest.clock_offset)
    )
    missed = missed_rise(rises)
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
                f"Connections come to {watched(agent)} through {printable(agent.relay)},"
                f" {unseen_limits(agent.path_limits)}: they may be lower than all that are."
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
    is_capped = any(limit.state is LimitState.KNOWN for limit in agent.path_limits)
    upstream = "its upstream, but for its limit on connections," if is_capped else "its upstream"
    return Doubt(
        kind=DoubtKind.OTHER_PROCESS,
        statement=(
            f"{watched(agent)} {what}: the limits and costs are the relay's, and those of {upstream}"
            " are not in this plan."
        ),
        remedy=(
            "Measure the upstream on its own port, with an agent started with its --pid; the lower"
            " of the two capacities counts."
        ),
    )
