"""Asks the agent on the target host: who is watched, within which limits, and sample by sample."""

import time
from pathlib import Path

import requests
from pydantic import TypeAdapter, ValidationError

from capacity.domain.errors import ConfigError, UnreachableError
from capacity.domain.run import ClockOffset
from capacity.domain.sample import AgentInfo, Sample

_INFO: TypeAdapter[AgentInfo] = TypeAdapter(AgentInfo)
_SAMPLE: TypeAdapter[Sample] = TypeAdapter(Sample)

TIMEOUT_S = 3.0
NEWEST_SEQ = "Capacity-Newest-Seq"
"""Header of an answer with samples: the number of the newest one that the agent has taken."""


class AgentClient:
    """One agent, by its URL; the token comes from a file and is sent as a bearer token."""

    def __init__(self, url: str, token_file: Path | None = None) -> None:
        self.url = url.rstrip("/")
        self._session = requests.Session()
        self._session.trust_env = False  # No proxy between us and the target's host.
        if token_file is not None:
            try:
                token = token_file.read_text(encoding="ascii").strip()
            except (OSError, UnicodeDecodeError) as error:
                raise ConfigError(
                    f"{token_file}: cannot read the agent's token ({error})"
                ) from None
            self._session.headers["Authorization"] = f"Bearer {token}"

    def info(self) -> AgentInfo:
        """Return who and what the agent watches. Raises UnreachableError."""
        try:
            return _INFO.validate_json(self._fetch("/v1/info").content)
        except ValidationError as error:
            raise UnreachableError(
                f"{self.url} answers, but not as an agent of this version "
                f"({error.error_count()} fields differ); install the same version there"
            ) from None

    def clock_offset(self, probes: int = 8) -> ClockOffset:
        """Return the agent's clock minus ours, from the probe with the least round trip."""
        best: ClockOffset | None = None
        for _ in range(probes):
            asked_at = time.time()
            agent_at = self.info().now
            answered_at = time.time()
            error_s = (answered_at - asked_at) / 2
            if best is None or error_s < best.error_s:
                best = ClockOffset(
                    offset_s=agent_at - (asked_at + answered_at) / 2, error_s=error_s
                )
        assert best is not None
        return best

    def samples(self, since: int) -> list[Sample]:
        """Return the samples after sequence number *since*, oldest first.

        An agent that was restarted counts from 1 again: then all that it has are returned.
        """
        response = self._fetch(f"/v1/samples?since={since}")
        if int(response.headers.get(NEWEST_SEQ, since)) < since:
            response = self._fetch("/v1/samples?since=0")
        try:
            return [_SAMPLE.validate_json(line) for line in response.content.splitlines() if line]
        except ValidationError as error:
            raise UnreachableError(
                f"{self.url}: a sample cannot be read ({error.errors()[0]['msg']})"
            ) from None

    def _fetch(self, path: str) -> requests.Response:
        try:
            response = self._session.get(self.url + path, timeout=TIMEOUT_S)
        except requests.RequestException as error:
            raise UnreachableError(
                f"the agent at {self.url} does not answer ({type(error).__name__}); start it on the "
                "target's host with `capacity agent --port PORT`, or correct agent.url in the target file"
            ) from None
        if response.status_code == requests.codes.unauthorized:
            raise UnreachableError(
                f"the agent at {self.url} refuses the token; set agent.token_file in the target file "
                "to a file with the token that the agent was started with"
            )
        if response.status_code != requests.codes.ok:
            raise UnreachableError(f"the agent at {self.url}{path} answers {response.status_code}")
        return response
