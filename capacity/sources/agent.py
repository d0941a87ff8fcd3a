"""Asks the agent on the target host: who is watched, within which limits, and sample by sample."""

from http import HTTPStatus

from capacity.domain.errors import UnreachableError
from capacity.domain.run import ClockOffset
from capacity.domain.sample import AgentInfo, PortHolder, Sample
from capacity.sources.border import (
    UnreadableError,
    read_holders,
    read_info,
    read_sample,
    read_seq,
)
from capacity.sources.clocks import least_error_offset
from capacity.sources.refusals import refusal
from capacity.sources.web import Answer, Web

NEWEST_SEQ = "Capacity-Newest-Seq"
"""Header of an answer with samples: the number of the newest one that the agent has taken."""


class AgentClient:
    """One agent, by its URL; the token comes from a file and is sent as a bearer token."""

    delay_s = 1.0
    """One interval: the sample that covers a moment is taken at its end."""

    def __init__(self, url: str, token_file: str | None = None, ca_file: str | None = None) -> None:
        self.url = url.rstrip("/")
        self.name = f"the agent at {self.url}"
        remedy = (
            "start it on the target's host with `capacity agent --port PORT`, or correct agent.url "
            "in the target file"
        )
        self._web = Web(
            url,
            name=self.name,
            remedy=remedy,
            key="agent.url",
            token_file=token_file,
            ca_file=ca_file,
        )

    def info(self) -> AgentInfo:
        """Return who and what the agent watches. Raises UnreachableError."""
        try:
            return read_info(self._fetch("/v1/info").body)
        except UnreadableError as error:
            raise UnreachableError(
                f"{self.url} answers, but not as an agent of this version "
                f"({error}); install the same version there"
            ) from None

    def clock_offset(self, probes: int = 8) -> ClockOffset:
        """Return the agent's clock minus ours, from the probe with the least round trip."""
        return least_error_offset(lambda: self.info().now, probes)

    def samples(self, since: int) -> list[Sample]:
        """Return the samples after sequence number *since*, oldest first.

        An agent that was restarted counts from 1 again: then all that it has are returned.
        """
        answer = self._fetch(f"/v1/samples?since={since}")
        newest = read_seq(answer.headers.get(NEWEST_SEQ, ""))
        if newest is not None and newest < since:
            answer = self._fetch("/v1/samples?since=0")
        try:
            return [read_sample(line) for line in answer.body.splitlines() if line]
        except UnreadableError as error:
            raise UnreachableError(f"{self.url}: a sample cannot be read ({error})") from None

    def port_holders(self, port: int) -> tuple[PortHolder, ...] | None:
        """Return who listens on *port* of the agent's host; None from agents that do not look."""
        answer = self._web.fetch(f"/v1/port?number={port}")
        if not answer.is_ok:
            return None
        try:
            return read_holders(answer.body)
        except UnreadableError:
            return None

    def close(self) -> None:
        self._web.close()

    def _fetch(self, path: str) -> Answer:
        answer = self._web.fetch(path)
        if answer.status == HTTPStatus.UNAUTHORIZED:
            raise UnreachableError(
                f"the agent at {self.url} refuses the token; set agent.token_file in the target file "
                "to a file with the token that the agent was started with"
            )
        if not answer.is_ok:
            raise refusal(
                answer,
                f"the agent at {self.url}{path}",
                "agent.url",
                "correct agent.url in the target file: no agent of this version answers so",
            )
        return answer
