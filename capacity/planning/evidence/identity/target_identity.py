"""
Whether the agent watches the process that the connections reach.

The generator knows how many connections it opened. A process that gained less than half of that
(count_gains.py) is another one than the target, and costs measured on it are nobody's.
"""

from collections.abc import Sequence

from capacity.domain.observation import StepObservation
from capacity.domain.resources import Limit, LimitState
from capacity.domain.run import RunRecord
from capacity.domain.sample import AgentInfo, Sample
from capacity.domain.words import printable
from capacity.planning.evidence.identity.plateau_gains import missed_rise, plateau_rises
from capacity.planning.evidence.missing_evidence import Gap
from capacity.planning.evidence.windows import offset_of

_SHOWN_PIDS = 4
_SHOWN_LETTERS = 60


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
    missed = missed_rise(plateau_rises(steps, samples, agent, clock_offset_s))
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


def unseen_limits(read: Sequence[Limit]) -> str:
    """Return which limits of a program on the connections' way are not seen, given those that are."""
    if any(limit.state is LimitState.KNOWN for limit in read):
        return "of whose limits only that on connections was read; the others are not seen"
    return "whose limits are not seen"


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
