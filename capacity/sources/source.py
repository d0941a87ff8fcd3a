"""What a run's samples come from: our agent, somebody else's exporters, or this process itself."""

from typing import Protocol

from capacity.domain.run import ClockOffset
from capacity.domain.sample import AgentInfo, PortHolder, Sample


class Source(Protocol):
    """Says who is watched within which limits, and hands out samples by sequence number."""

    @property
    def name(self) -> str:
        """As a sentence calls it: the agent at http://10.0.0.5:9101."""

    @property
    def delay_s(self) -> float:
        """How long after a moment its sample can be had."""

    def info(self) -> AgentInfo:
        """Return who and what is watched. Raises UnreachableError, or ConfigError when unclear."""

    def clock_offset(self) -> ClockOffset:
        """Return the clock of the samples minus ours. Raises UnreachableError."""

    def samples(self, since: int) -> list[Sample]:
        """Return the samples after sequence number *since*, oldest first; UnreachableError."""

    def port_holders(self, port: int) -> tuple[PortHolder, ...] | None:
        """Return who listens on *port* of the target's host; None where the source cannot look."""

    def close(self) -> None:
        """Give back sockets; another process may then open the same source."""
