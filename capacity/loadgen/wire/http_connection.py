"""One client's HTTP connection: opened when it is needed, then kept or closed, and why it failed.

It is opened as the WebSocket connections are (`dialing`), so that certificates, proxy and source
addresses mean the same to both, and answers are parsed by geventhttpclient, as Locust's FastHttpUser
has it done. What FastHttpUser does beside that is left out: redirects, which would be a second
request; retries; and bodies of any size, at any pace.
"""

import contextlib
import select
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from http.client import HTTPException
from ssl import SSLEOFError, SSLError, SSLZeroReturnError
from types import MappingProxyType
from typing import Any, NamedTuple

from gevent import monkey
from geventhttpclient.header import Headers
from geventhttpclient.response import HTTPResponse

from capacity.domain.errors import ConfigError
from capacity.loadgen.wire.deadline import in_time
from capacity.loadgen.wire.dialing import dial
from capacity.loadgen.wire.endpoint import Endpoint
from capacity.loadgen.wire.handshake import failure_reason
from capacity.loadgen.wire.memory_budget import SPENT, MemoryBudget
from capacity.loadgen.wire.response_head import MAX_HEAD_BYTES

CLOSE_TIMEOUT_S = 1.0
_BLOCK_BYTES = 65_536
_ENDED = (ConnectionError, SSLEOFError, SSLZeroReturnError)
_SHARED = ("tls_", "proxy_", "generator_")
"""Failures to connect that are the same for polls and WebSocket connections."""

# gevent removes poll from the patched module when it cannot wait on it; we never wait. select(2)
# would know no descriptor above 1,023.
_poll = monkey.get_original("select", "poll")


class Answer(NamedTuple):
    status: int
    headers: Headers
    body: bytes
    """As it came: compressed, if the headers say so."""
    opening_us: Mapping[str, int]
    """How long each phase of opening the connection took, in microseconds; none when it was open."""


class ExchangeError(Exception):
    """No whole answer came; the message is the reason it is counted under."""


class _OversizedError(Exception):
    """More bytes came than anybody asked for."""


class _ShedError(Exception):
    """The answer under way held the most of what the process may hold."""


_OURS: dict[type[Exception], str] = {
    _OversizedError: "request_oversized",
    _ShedError: f"request_{SPENT}",
}


class _Response(HTTPResponse):
    """What has come of an answer."""

    def __init__(self) -> None:
        super().__init__()
        self.body = bytearray()
        self.received_bytes = 0

    def _on_body(self, buf: bytearray) -> None:
        self.body += buf


class HttpConnection:
    """A connection to one endpoint, for one request at a time."""

    _is_shed: bool
    """Whether the answer that is under way was given up."""

    def __init__(
        self,
        endpoint: Callable[[], Endpoint],
        *,
        is_kept: bool,
        max_answer_bytes: int,
        timeout_s: float,
        budget: MemoryBudget | None = None,
    ) -> None:
        """Open to what *endpoint* returns each time; close after each answer unless *is_kept*.

        An answer has *timeout_s* to be there whole, the opening of its connection included.
        """
        self._endpoint = endpoint
        self._is_kept = is_kept
        self._max_answer_bytes = max_answer_bytes
        self._timeout_s = timeout_s
        self._budget = budget or MemoryBudget()
        self._socket: Any = None
        self._readable: Any = None
        self._response: _Response | None = None

    def exchange(self, request: bytes, *, is_repeatable: bool) -> Answer:
        """Send *request* and return the answer. Raises ExchangeError with the reason.

        A connection that the target ends while it was idle is no failure: the request goes out
        once more on a new one, if it may be made twice.
        """
        with ExitStack() as undone:
            undone.callback(self._budget.weigh, self, 0)
            undone.callback(self.close)  # Also when the greenlet is killed.
            try:
                answer = in_time(
                    self._timeout_s, lambda: self._exchanged(request, is_repeatable=is_repeatable)
                )
            except (OSError, HTTPException, ConfigError, _OversizedError, _ShedError) as error:
                raise ExchangeError(self._reason(error)) from error
            undone.pop_all()
        self._budget.weigh(self, 0)
        return answer

    @property
    def has_asked(self) -> bool:
        """Tell whether the last request, or a part of it, may have reached the target."""
        return self._response is not None

    def shed(self) -> None:
        """Give up the answer that is under way: it holds the most of what the process may hold."""
        self._is_shed = True

    def finish(self) -> None:
        """Close a connection that is not kept, once everything about its answer is measured.

        The target was asked to close, and who closes first has the port wait (TIME_WAIT).
        """
        if self._is_kept or self._socket is None:
            return
        self._socket.settimeout(CLOSE_TIMEOUT_S)
        with contextlib.suppress(OSError):
            self._socket.recv(1)
        self.close()

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _exchanged(self, request: bytes, *, is_repeatable: bool) -> Answer:
        self._response, opening_us = None, MappingProxyType[str, int]({})
        if self._is_open():
            try:
                response = self._ask(request)
            except _ENDED:
                assert self._response is not None
                if self._response.received_bytes or not is_repeatable:
                    raise
                self.close()
                self._response = None
        if self._response is None:
            opening_us = MappingProxyType(self._open())
            response = self._ask(request)
        if self._is_kept and response.should_close():
            self.close()
        return Answer(response.get_code(), response.info(), bytes(response.body), opening_us)

    def _open(self) -> dict[str, int]:
        self.close()
        sock, laps = dial(self._endpoint())
        sock.settimeout(None)
        self._socket, self._readable = sock, _poll()
        self._readable.register(sock.fileno(), select.POLLIN)
        return laps.us

    def _is_open(self) -> bool:
        """Return whether the connection is open and silent; readable means closed or dirty."""
        return self._socket is not None and not self._readable.poll(0)

    def _ask(self, request: bytes) -> _Response:
        self._response = response = _Response()
        self._is_shed = False
        self._socket.sendall(request)
        while True:
            data = self._socket.recv(_BLOCK_BYTES)
            if self._is_shed:
                raise _ShedError
            if not data and not response.received_bytes:
                raise ConnectionAbortedError("ended instead of an answer")
            response.received_bytes += len(data)
            try:
                response.feed(data)
            except HTTPException:
                if not data:
                    raise ConnectionAbortedError("ended amid an answer") from None
                raise
            if response.message_complete and response.get_code() >= 200:
                return response
            most_bytes = self._max_answer_bytes
            if not response.headers_complete or response.get_code() < 200:
                most_bytes = min(most_bytes, MAX_HEAD_BYTES)
            if response.received_bytes > most_bytes:
                raise _OversizedError
            self._budget.weigh(self, len(response.body))
            time.sleep(0)  # gevent's: where bytes are always there, nobody else would have a turn.

    def _reason(self, error: Exception) -> str:
        response = self._response
        if response is None:
            reason = failure_reason(error)
            return reason if reason.startswith(_SHARED) else f"request_{reason}"
        if isinstance(error, TimeoutError):
            return "request_slow_body" if response.headers_complete else "request_timeout"
        if isinstance(error, _ENDED):
            return "request_cut_short" if response.received_bytes else "request_reset"
        if isinstance(error, SSLError):
            return failure_reason(error)
        return _OURS.get(type(error), "request_invalid")
