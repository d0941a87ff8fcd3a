"""Samples of an agent that reaches us where we cannot reach it: it pushes, we listen.

Samples get numbers of our own that go on when the agent is restarted and counts anew; what is
missing in its numbers is missing in ours. One agent at a time: a second one is refused until the
first has been silent for a while.

The clock is known from one way only: the agent's `now` is at most as old as the way here took. Of
all infos the youngest counts, plus half of TCP's round trip; a handshake may hide in it.
"""

import ssl
import threading
import time
from collections import deque
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path

from capacity.domain.errors import ConfigError, PreflightError, UnreachableError
from capacity.domain.run import ClockOffset
from capacity.domain.sample import AgentInfo, PortHolder, Sample
from capacity.monitor.serving.credentials import LEAST_LETTERS
from capacity.settings.agent import Agent, host_and_port
from capacity.sources.border import UnreadableError, read_info, read_sample
from capacity.sources.push_server import PushServer, RefusedError
from capacity.sources.web import read_token

WAIT_S = 15.0
"""An agent that could not reach us tries again within ten seconds."""
SILENT_S = 12.0
_KEEP = 7200
_BACKLOG = 60
"""Samples from before we listened that are asked for: enough to see who is there."""
_LEAST_ERROR_S = 0.02
_ROUND_TRIPS = 3
"""TCP and TLS handshakes that may lie between the agent's reading of its clock and our receipt."""


class PushedSamples:
    """What one agent pushed so far; threads of the server add, the recorder reads."""

    delay_s = 2.0

    def __init__(self, listen: str) -> None:
        self.name = f"the agent that pushes to {listen}"
        self._listen = listen
        self._changed = threading.Condition()
        self._info: AgentInfo | None = None
        self._heard_s: float | None = None
        self._clock: ClockOffset | None = None
        self._samples: deque[Sample] = deque(maxlen=_KEEP)
        self._wanted = 1
        self._shift = 0
        """Our number of a sample minus the agent's."""

    def info(self) -> AgentInfo:
        """Return the newest info, from an agent that is there. Raises UnreachableError."""
        with self._changed:
            self._changed.wait_for(lambda: not self._is_silent(), WAIT_S)
            if self._info is None or self._is_silent():
                raise UnreachableError(self._nobody())
            return self._info

    def clock_offset(self) -> ClockOffset:
        self.info()
        assert self._clock is not None
        return self._clock

    def samples(self, since: int) -> list[Sample]:
        with self._changed:
            newer = [sample for sample in self._samples if sample.seq > since]
            if not newer and self._is_silent():
                raise UnreachableError(self._nobody())
            return newer

    def port_holders(self, port: int) -> tuple[PortHolder, ...] | None:  # noqa: ARG002 - nobody to ask
        return None

    def close(self) -> None:
        """End the server, if there is one; the agent tries again until there is another."""
        if self._listen in _open:
            _agent, _inbox, server = _open.pop(self._listen)
            server.close()

    def take_info(self, body: bytes, newest_seq: int | None, round_trip_s: float) -> int:
        received_at = time.time()
        try:
            info = read_info(body)
        except UnreadableError as error:
            raise RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, _why(error)) from None
        with self._changed:
            if self._info is not None and not self._is_silent() and not _is_alike(info, self._info):
                raise RefusedError(
                    HTTPStatus.FORBIDDEN,
                    f"an agent on {self._info.host} that watches {self._info.target_name} is at it",
                )
            if self._info is None and newest_seq is not None:
                self._wanted = max(1, newest_seq - _BACKLOG + 1)
            self._follow(newest_seq)
            self._clock = _better(self._clock, info.now - received_at, round_trip_s)
            self._info = info
            self._heard()
            return self._wanted

    def take_samples(self, body: bytes, newest_seq: int | None) -> int:
        try:
            samples = [read_sample(line) for line in body.splitlines() if line.strip()]
        except UnreadableError as error:
            raise RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, _why(error)) from None
        with self._changed:
            if self._info is None:
                raise RefusedError(HTTPStatus.CONFLICT, "post /v1/info first")
            self._follow(newest_seq)
            for sample in samples:
                self._take(sample)
            self._heard()
            return self._wanted

    def _take(self, sample: Sample) -> None:
        last = self._samples[-1] if self._samples else None
        if last is not None and sample.seq < self._wanted and sample.at > last.at:
            self._count_anew(sample.seq)
        if sample.seq >= self._wanted:  # Else it was sent again, because our answer was lost.
            self._samples.append(replace(sample, seq=sample.seq + self._shift))
            self._wanted = sample.seq + 1

    def _follow(self, newest_seq: int | None) -> None:
        """An agent whose newest number is behind what we have was restarted."""
        if newest_seq is not None and newest_seq < self._wanted - 1:
            self._count_anew(1)

    def _count_anew(self, seq: int) -> None:
        last = self._samples[-1].seq if self._samples else 0
        self._shift, self._wanted = last + 1 - seq, seq

    def _heard(self) -> None:
        self._heard_s = time.monotonic()
        self._changed.notify_all()

    def _is_silent(self) -> bool:
        return self._heard_s is None or time.monotonic() - self._heard_s > SILENT_S

    def _nobody(self) -> str:
        since = "yet" if self._heard_s is None else f"for {time.monotonic() - self._heard_s:.0f} s"
        return (
            f"{self.name} has not pushed {since}; start it on the target's host with `capacity agent"
            " --push URL`, let it through the firewalls to us, and see what it says itself"
        )


_open: dict[str, tuple[Agent, PushedSamples, PushServer]] = {}
"""By address: a preflight that failed leaves it to the next one of this process."""


def pushed_to(agent: Agent, listen: str) -> PushedSamples:
    """Return what is pushed to *listen*, where a server is started unless there is one.

    Raises ConfigError, and PreflightError when the address cannot be had.
    """
    if listen in _open:
        known, inbox, _server = _open[listen]
        if known == agent:
            return inbox
        inbox.close()
    token = None if agent.token_file is None else read_token(Path(agent.token_file))
    if token is not None and len(token) < LEAST_LETTERS:
        raise ConfigError(
            f"{agent.token_file}: a token of {len(token)} letters can be guessed; give it"
            f" {LEAST_LETTERS} or more"
        )
    inbox = PushedSamples(listen)
    try:
        server = PushServer(host_and_port(listen), inbox, token, _tls(agent))
    except OSError as error:
        raise PreflightError(
            f"cannot listen on {listen} for an agent ({error.strerror}); correct agent.listen in the"
            " target file to an address of this host with a free port"
        ) from None
    server.start()
    _open[listen] = agent, inbox, server
    return inbox


def _tls(agent: Agent) -> ssl.SSLContext | None:
    if agent.certificate_file is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        # An empty password fails where OpenSSL would ask the terminal for one.
        context.load_cert_chain(agent.certificate_file, agent.key_file, password="")
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"{agent.certificate_file}, {agent.key_file}: not a certificate and its key in PEM"
            f" format, unencrypted ({error})"
        ) from None
    return context


def _is_alike(info: AgentInfo, other: AgentInfo) -> bool:
    return (info.boot_id, info.host, info.target_name) == (
        other.boot_id,
        other.host,
        other.target_name,
    )


def _better(known: ClockOffset | None, ahead_s: float, round_trip_s: float) -> ClockOffset:
    """Return the offset that the youngest info gives; *ahead_s* is its clock minus ours on arrival."""
    error_s = max(_LEAST_ERROR_S, _ROUND_TRIPS * round_trip_s)
    found = ClockOffset(offset_s=ahead_s + round_trip_s / 2, error_s=error_s)
    return found if known is None or found.offset_s > known.offset_s else known


def _why(error: UnreadableError) -> str:
    return f"not as this version's agent says it: {error}"
