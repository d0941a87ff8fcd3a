"""The agent's HTTP side: five paths to read, nothing to write, nothing executed.

As many connections as there are threads. When all are taken, the oldest that was never answered makes
room for a new one, or else the one that was idle the longest since its last answer; where all are being
answered, the new one is turned away. TLS
handshakes are done by the threads. A connection that has not finished a request for half a minute
is closed, however slowly it keeps sending or reading.
"""

import contextlib
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlsplit

from capacity.monitor.host.port_holders import port_holders
from capacity.monitor.limits.applications.path_limits import with_path_limits
from capacity.monitor.notes import Notes
from capacity.monitor.sampler import Sampler
from capacity.monitor.serving.exposition import metrics_text
from capacity.monitor.serving.http_server import (
    MOST_CONNECTIONS,
    Handler,
    HttpServer,
    cut,
    whole_number,
)
from capacity.monitor.serving.store import SampleRing, agent_info, as_json

_IDLE_S = 30.0
_BUSY = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
_ROOM_S = 0.2
"""How long the accept loop waits for an evicted connection's thread to be done."""


@dataclass(slots=True)
class _Client:
    deadline_s: float
    is_known: bool = False
    """Whether a request of it was answered that not everybody may ask."""
    is_asking: bool = False
    """A request of it is being answered."""


class AgentServer(HttpServer):
    """Serves a sampler's info and a ring of samples."""

    def __init__(
        self,
        address: tuple[str, int],
        sampler: Sampler,
        ring: SampleRing,
        *,
        token: str | None = None,
        tls: ssl.SSLContext | None = None,
        notes: Notes | None = None,
    ) -> None:
        self.sampler = sampler
        self.ring = ring
        self.notes = notes or Notes()
        self.looking = threading.Lock()
        """Looking through all processes is for one client at a time."""
        self._free = threading.BoundedSemaphore(MOST_CONNECTIONS)
        self._clients: dict[Any, _Client] = {}
        """By connection: the oldest first, or of those that were answered the one idle longest."""
        super().__init__(address, _Handler, token=token, tls=tls)

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._has_room():
            self._turn_away(request)
            return
        self._clients[request] = _Client(time.monotonic() + _IDLE_S)
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._clients.pop(request, None)
            self._free.release()

    def asked(self, request: Any) -> None:
        """Note that a connection has a request: it is not idle until it is served."""
        if (client := self._clients.get(request)) is not None:
            client.is_asking = True

    def served(self, request: Any, *, is_known: bool) -> None:
        """Give a connection that was answered its time again, for its next request."""
        self._clients.pop(request, None)
        self._clients[request] = _Client(time.monotonic() + _IDLE_S, is_known)

    def service_actions(self) -> None:
        now_s = time.monotonic()
        for request, client in list(self._clients.items()):
            if now_s > client.deadline_s:
                cut(request)

    def _has_room(self) -> bool:
        if self._free.acquire(blocking=False):
            return True
        clients = list(self._clients.items())
        strangers = [key for key, client in clients if not client.is_known]
        idle = [key for key, client in clients if not client.is_asking]
        if not (strangers or idle):
            return False
        cut((strangers or idle)[0])
        return self._free.acquire(timeout=_ROOM_S)

    def _turn_away(self, request: Any) -> None:
        if self._tls is None:
            request.settimeout(0.1)
            with contextlib.suppress(
                OSError
            ):  # Who does not take it is turned away without a word.
                request.sendall(_BUSY)
        self.shutdown_request(request)


class _Handler(Handler):
    server: AgentServer
    server_version = "capacity-agent"
    timeout = _IDLE_S

    def do_GET(self) -> None:  # noqa: N802 - as http.server calls it
        if "Content-Length" in self.headers or "Transfer-Encoding" in self.headers:
            self.close_connection = True  # A body would be taken for the next request.
        url = urlsplit(self.path)
        pages: dict[str, Callable[[str], None]] = {
            "/healthz": self._healthz,
            "/v1/info": self._info,
            "/v1/samples": self._samples,
            "/v1/port": self._port,
            "/metrics": self._metrics,
        }
        self.server.asked(self.connection)
        if url.path != "/healthz" and not self.is_authorized():
            self.send_error(HTTPStatus.UNAUTHORIZED, "a bearer token is needed")
        elif page := pages.get(url.path):
            page(url.query)
            is_known = self.server.token is None or url.path != "/healthz"
            self.server.served(self.connection, is_known=is_known)
        else:
            self.send_error(HTTPStatus.NOT_FOUND, f"there are {', '.join(pages)}")

    def _healthz(self, _query: str) -> None:
        self.answer([b"ok\n"], "text/plain; charset=utf-8")

    def _info(self, _query: str) -> None:
        self.server.sampler.refresh_limits()
        info = as_json(agent_info(self.server.sampler, self.server.notes.sentences))
        self.answer([info.encode()], "application/json")

    def _samples(self, query: str) -> None:
        since = parse_qs(query).get("since", ["0"])[-1]
        number = whole_number(since)
        if number is None:
            self.send_error(HTTPStatus.BAD_REQUEST, "since is a sequence number, 0 or more")
            return
        # Behind this number, a client knows that the agent was restarted and counts anew.
        newest = {"Capacity-Newest-Seq": str(self.server.ring.newest_seq)}
        lines = [line for _, line in self.server.ring.since(number)]
        self.answer(lines, "application/x-ndjson", newest)

    def _port(self, query: str) -> None:
        number = whole_number(parse_qs(query).get("number", [""])[-1])
        view = self.server.sampler.view
        if number is None or not 0 < number < 1 << 16:
            self.send_error(HTTPStatus.BAD_REQUEST, "number is a port, 1 to 65535")
        elif view is None or not self.server.looking.acquire(blocking=False):
            self.send_error(HTTPStatus.SERVICE_UNAVAILABLE, "it is looked at already; ask again")
        else:
            try:
                holders = with_path_limits(port_holders(number, view), number)
            finally:
                self.server.looking.release()
            self.answer([as_json(holders).encode()], "application/json")

    def _metrics(self, _query: str) -> None:
        text = metrics_text(self.server.ring.current, self.server.sampler.limits)
        self.answer([text.encode()], "text/plain; version=0.0.4; charset=utf-8")
