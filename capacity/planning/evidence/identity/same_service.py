"""Whether an agent watches the service that a run's agent watched, or another one.

A service keeps its port over restarts and releases, and its name and its number may change. Where the ports do
not tell, because nobody looked or a relay stands in front, the name does.
"""

from capacity.domain.sample import AgentInfo
from capacity.planning.evidence.identity.target_identity import not_listening, watched


def other_process(before: AgentInfo, after: AgentInfo, port: int) -> str | None:
    """Return in a sentence that *after* is of another service on *port*; None where it is not."""
    had, has = (
        None if agent.listening_ports is None else port in agent.listening_ports
        for agent in (before, after)
    )
    if had and has:
        return None
    is_elsewhere = had is True and has is False
    if not is_elsewhere and before.target_name == after.target_name:
        return None
    return (
        f"another process is watched now: {watched(after)}{not_listening(after, port)};"
        f" it was {watched(before)}"
    )
