"""Samples brought to a receiver, for a target whose host can be left but not reached.

    POST URL/v1/info      what /v1/info answers; first, and again after a refusal or a reconnect
    POST URL/v1/samples   lines as /v1/samples answers them, oldest first

Both carry the newest number in Capacity-Newest-Seq, and the token as a bearer token. The answer to
both is 200 and {"next": SEQ}, the number wanted next: what is not acknowledged is sent again, from
the ring. Redirects are not followed and proxies not asked: the token goes to nobody else.
"""

import http.client
import ipaddress
import json
import random
import re
import ssl
import time
from collections.abc import Callable, Iterator
from http import HTTPStatus
from urllib.parse import urlsplit

from capacity.domain.errors import ConfigError
from capacity.domain.sample import AgentInfo
from capacity.monitor.notes import Notes
from capacity.monitor.serving.ring_consumer import RingConsumer
from capacity.monitor.serving.store import SampleRing, as_json

MOST_BYTES = 4 << 20
"""Of samples in one request; an hour of them takes several."""
_TIMEOUT_S = 5.0
_ALIVE_S = 5.0
"""A push without samples after this time says that we are there, however rarely we sample."""
_INFO_S = 30.0
"""Limits are read as often, and the receiver estimates our clock from it."""
_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 10.0
_MOST_ANSWER_BYTES = 1 << 16
_SHOWN_LETTERS = 120
_TOPIC = "push"


class _RefusedError(Exception):
    """The receiver answered, but did not take it."""


class Pusher(RingConsumer):
    """Pushes a ring of samples to one URL, from a thread of its own."""

    def __init__(
        self,
        url: str,
        ring: SampleRing,
        info: Callable[[], AgentInfo],
        notes: Notes,
        *,
        token: str | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """*url* is one that `push_url` let pass; *tls* checks who answers there."""
        super().__init__(ring, "push")
        parts = urlsplit(url)
        self._url, self._path = url, parts.path
        self._headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        self._info, self._notes = info, notes
        self._connection: http.client.HTTPConnection
        if parts.scheme == "https":
            self._connection = http.client.HTTPSConnection(
                parts.hostname or "", parts.port, timeout=_TIMEOUT_S, context=tls
            )
        else:
            self._connection = http.client.HTTPConnection(
                parts.hostname or "", parts.port, timeout=_TIMEOUT_S
            )

    def _consume(self) -> None:
        pauses = _pauses()
        while not self._stop.is_set():
            try:
                for _ in self._push_until_refused():
                    self._notes.drop(_TOPIC)
                    pauses = _pauses()
            except (OSError, http.client.HTTPException, _RefusedError) as error:
                self._notes.say(_TOPIC, f"--push {self._url}: {_why(error)}; retrying")
                self._connection.close()
                self._stop.wait(next(pauses))
        self._connection.close()

    def _push_until_refused(self) -> Iterator[None]:
        """Push info and samples, and yield after each answer that took them."""
        wanted, info_due_s = 1, 0.0
        while True:
            if time.monotonic() >= info_due_s:
                wanted = self._post("/v1/info", "application/json", _encoded(self._info()))
                info_due_s = time.monotonic() + _INFO_S
            is_last = self._stop.is_set()
            lines = self._lines_from(wanted)
            before, wanted = (
                wanted,
                self._post("/v1/samples", "application/x-ndjson", b"".join(lines)),
            )
            if lines and wanted <= before:
                raise _RefusedError(f"took no sample from {before} on, without a reason")
            yield
            if is_last:
                return
            self._ring.wait_beyond(wanted - 1, _ALIVE_S, self._stop)

    def _lines_from(self, seq: int) -> list[bytes]:
        """Return lines from number *seq* on, as many as fit into one request."""
        total_bytes = 0
        lines = []
        for _, line in self._ring.since(seq - 1):
            total_bytes += len(line)
            if total_bytes > MOST_BYTES:
                break
            lines.append(line)
        return lines

    def _post(self, path: str, content_type: str, body: bytes) -> int:
        """Return the number that the receiver wants next."""
        headers = {
            **self._headers,
            "Content-Type": content_type,
            "Capacity-Newest-Seq": str(self._ring.newest_seq),
        }
        self._connection.request("POST", f"{self._path}{path}", body, headers)
        response = self._connection.getresponse()
        answer = response.read(_MOST_ANSWER_BYTES)
        try:
            document = json.loads(answer)
        except ValueError:
            document = None
        if response.status == HTTPStatus.UNAUTHORIZED:
            raise _RefusedError("refuses the token (401): --token-file must be the receiver's")
        if response.status != HTTPStatus.OK:
            said = document.get("error", "") if isinstance(document, dict) else ""
            raise _RefusedError(f"answers {response.status} {ascii(said)[:_SHOWN_LETTERS]}")
        wanted = document.get("next") if isinstance(document, dict) else None
        if type(wanted) is not int or wanted < 1:
            raise _RefusedError("answers, but not as a receiver of samples does")
        return wanted


def push_url(url: str, *, may_be_plain: bool) -> str:
    """Return *url* without the slash at its end; ConfigError unless it can be pushed to safely.

    Without TLS everybody on the way reads the token, and can take the receiver's place. Only the
    loopback is safe, and a network that encrypts by itself, of which we cannot know.
    """
    try:
        parts = urlsplit(url)
        is_address = bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_address = False
    if not is_address or parts.scheme not in {"http", "https"} or not re.fullmatch(r"[!-~]+", url):
        raise ConfigError(f"--push {url}: must be http://HOST:PORT or https://HOST:PORT")
    if parts.username is not None or parts.query or parts.fragment:
        raise ConfigError(f"--push {url}: must not carry credentials or parameters")
    if parts.scheme == "http" and not may_be_plain and not _is_loopback(parts.hostname or ""):
        raise ConfigError(
            f"--push {url}: would send token and samples unencrypted; use https, or add "
            "--allow-plain-http where the network itself encrypts (WireGuard, a tunnel)"
        )
    return url.rstrip("/")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _encoded(info: AgentInfo) -> bytes:
    return as_json(info).encode()


def _pauses() -> Iterator[float]:
    """Yield ever longer pauses, each drawn so that many agents do not come back at once."""
    longest_s = _FIRST_PAUSE_S
    while True:
        yield random.uniform(longest_s / 2, longest_s)  # noqa: S311 - no secret
        longest_s = min(2 * longest_s, _LONGEST_PAUSE_S)


def _why(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate cannot be verified ({error.verify_message}): see --ca-file"
    if isinstance(error, TimeoutError):
        return f"no response within {_TIMEOUT_S:.0f} s"
    if isinstance(error, OSError):
        return error.strerror or str(error)
    if isinstance(error, http.client.HTTPException):
        return f"does not answer in HTTP ({type(error).__name__})"
    return str(error)
