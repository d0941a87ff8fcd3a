"""The agent's HTTP side: five paths to read, nothing to write, nothing executed.

As many connections as there are threads. When all are taken, the oldest that was never answered makes
room for a new one; where all were answered, the new one is turned away. TLS
handshakes are done by the threads. A connection that has not finished a request for half a minute
is closed, however slowly it keeps sending or reading.
"""

import contextlib
import hmac
import json
import socket
import socketserver
import ssl
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from capacity.monitor.exposition import metrics_text
from capacity.monitor.notes import Notes
from capacity.monitor.port_holders import port_holders
from capacity.monitor.sampler import Sampler
from capacity.monitor.store import SampleRing, agent_info, as_json

_MAX_CONNECTIONS = 16
_IDLE_S = 30.0
_BUSY = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
_ROOM_S = 0.2
"""How long the accept loop waits for an evicted connection's thread to be done."""


@dataclass(slots=True)
class _Client:
    deadline_s: float
    is_known: bool = False
    """Whether a request of it was answered that not everybody may ask."""


class AgentServer(ThreadingHTTPServer):
    """Serves a sampler's info and a ring of samples."""

    daemon_threads = True
    request_queue_size = 32

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
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.sampler = sampler
        self.ring = ring
        self.token = token
        self.notes = notes or Notes()
        self.looking = threading.Lock()
        """Looking through all processes is for one client at a time."""
        self._tls = tls
        self._free = threading.BoundedSemaphore(_MAX_CONNECTIONS)
        self._clients: dict[Any, _Client] = {}
        """By connection, the oldest first."""
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        # Not HTTPServer's: that asks the name service for our own name and may wait for it.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.host_and_port

    @property
    def host_and_port(self) -> tuple[str, int]:
        host, port = self.server_address[:2]
        return str(host), int(port)

    @property
    def url(self) -> str:
        host, port = self.host_and_port
        scheme = "http" if self._tls is None else "https"
        return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"

    def get_request(self) -> tuple[Any, Any]:
        request, client_address = super().get_request()
        if self._tls is not None:
            try:
                # The handshake waits for the thread: a silent client holds up only itself.
                request = self._tls.wrap_socket(
                    request, server_side=True, do_handshake_on_connect=False
                )
            except (OSError, ValueError):
                request.close()
                raise
        return request, client_address

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

    def served(self, request: Any, *, is_known: bool) -> None:
        """Give a connection that was answered its time again, for its next request."""
        self._clients[request] = _Client(time.monotonic() + _IDLE_S, is_known)

    def service_actions(self) -> None:
        now_s = time.monotonic()
        for request, client in list(self._clients.items()):
            if now_s > client.deadline_s:
                _cut(request)

    def _has_room(self) -> bool:
        if self._free.acquire(blocking=False):
            return True
        strangers = [key for key, client in list(self._clients.items()) if not client.is_known]
        if not strangers:
            return False
        _cut(strangers[0])
        return self._free.acquire(timeout=_ROOM_S)

    def _turn_away(self, request: Any) -> None:
        if self._tls is None:
            request.settimeout(0.1)
            with contextlib.suppress(OSError):
                request.sendall(_BUSY)
        self.shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away concerns nobody; anything else is a defect and is shown."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


def _cut(request: Any) -> None:
    """End a connection whose thread is at work on it: the thread finds it closed."""
    with contextlib.suppress(OSError):
        # Not SSLSocket's own, which takes away what the thread is using.
        socket.socket.shutdown(request, socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    server: AgentServer
    protocol_version = "HTTP/1.1"
    server_version = "capacity-agent"
    sys_version = ""
    timeout = _IDLE_S
    disable_nagle_algorithm = True
    wbufsize = -1

    def setup(self) -> None:
        super().setup()
        if isinstance(self.connection, ssl.SSLSocket):
            self.connection.do_handshake()

    def do_GET(self) -> None:
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
        if url.path != "/healthz" and not self._is_authorized():
            self.send_error(HTTPStatus.UNAUTHORIZED, "a bearer token is needed")
        elif page := pages.get(url.path):
            page(url.query)
            is_known = self.server.token is None or url.path != "/healthz"
            self.server.served(self.connection, is_known=is_known)
        else:
            self.send_error(HTTPStatus.NOT_FOUND, f"there are {', '.join(pages)}")

    def _is_authorized(self) -> bool:
        if self.server.token is None:
            return True
        scheme, _, given = self.headers.get("Authorization", "").partition(" ")
        is_same = hmac.compare_digest(
            given.strip().encode("latin-1", "replace"), self.server.token.encode()
        )
        return is_same and scheme.lower() == "bearer"

    def _healthz(self, _query: str) -> None:
        self._answer([b"ok\n"], "text/plain; charset=utf-8")

    def _info(self, _query: str) -> None:
        info = as_json(agent_info(self.server.sampler, self.server.notes.sentences))
        self._answer([info.encode()], "application/json")

    def _samples(self, query: str) -> None:
        since = parse_qs(query).get("since", ["0"])[-1]
        if not (since.isascii() and since.isdigit()):
            self.send_error(HTTPStatus.BAD_REQUEST, "since is a sequence number, 0 or more")
            return
        # Behind this number, a client knows that the agent was restarted and counts anew.
        newest = {"Capacity-Newest-Seq": str(self.server.ring.newest_seq)}
        lines = [line for _, line in self.server.ring.since(int(since))]
        self._answer(lines, "application/x-ndjson", newest)

    def _port(self, query: str) -> None:
        number = parse_qs(query).get("number", [""])[-1]
        view = self.server.sampler.view
        if not (number.isascii() and number.isdigit() and 0 < int(number[:6]) < 1 << 16):
            self.send_error(HTTPStatus.BAD_REQUEST, "number is a port, 1 to 65535")
        elif view is None or not self.server.looking.acquire(blocking=False):
            self.send_error(HTTPStatus.SERVICE_UNAVAILABLE, "it is looked at already; ask again")
        else:
            try:
                holders = port_holders(int(number), view)
            finally:
                self.server.looking.release()
            self._answer([as_json(holders).encode()], "application/json")

    def _metrics(self, _query: str) -> None:
        text = metrics_text(self.server.ring.current, self.server.sampler.limits)
        self._answer([text.encode()], "text/plain; version=0.0.4; charset=utf-8")

    def _answer(
        self,
        parts: Sequence[bytes],
        content_type: str,
        headers: Mapping[str, str] | None = None,
        status: HTTPStatus = HTTPStatus.OK,
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(sum(map(len, parts))))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        for part in parts:  # Never joined: the ring's own lines, however many clients take them.
            self.wfile.write(part)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer in JSON where the base class would answer in HTML."""
        status = HTTPStatus(code)
        parts = [json.dumps({"error": message or explain or status.phrase}).encode()]
        self.close_connection = True
        headers = {"Connection": "close"}
        if status == HTTPStatus.UNAUTHORIZED:
            headers["WWW-Authenticate"] = "Bearer"
        # A line that is no HTTP/1 request leaves these unset or set to what nobody can answer in.
        self.request_version = self.protocol_version
        self._answer(parts, "application/json", headers, status)

    def log_message(self, *_: Any) -> None:
        """One line a request would be the only thing that this process writes."""
