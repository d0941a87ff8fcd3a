"""The HTTP side of an agent that pushes: two paths to post to, nothing to read.

    POST /v1/info      the JSON of the agent's own /v1/info           → 200 {"next": SEQ}
    POST /v1/samples   NDJSON as its own /v1/samples answers it       → 200 {"next": SEQ}

`next` is the number of the sample wanted next. 401: another token; 403: another agent is at it;
409: its info is not known yet; 411 and 413: no length, or too long; 422: not in the format.

The loop that accepts uses no selector, so that it stands still as a thread and as a greenlet
alike, whatever was imported before gevent patched it.
"""

import json
import socket
import ssl
import sys
import threading
import time
from http import HTTPStatus
from typing import Any, Protocol

from capacity.monitor.serving.http_server import (
    MOST_CONNECTIONS,
    Handler,
    HttpServer,
    cut,
    whole_number,
)

MOST_BODY_BYTES = 16 * 1024 * 1024
"""An hour of samples has some 10 MB."""
_IDLE_S = 15.0
_AFTER_ACCEPT_ERROR_S = 0.2


class RefusedError(Exception):
    """A push that is not taken, with the status that says why."""

    def __init__(self, status: HTTPStatus, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class Inbox(Protocol):
    """Takes what is pushed and returns the number wanted next, or raises RefusedError."""

    def take_info(self, body: bytes, newest_seq: int | None, round_trip_s: float) -> int: ...

    def take_samples(self, body: bytes, newest_seq: int | None) -> int: ...


class PushServer(HttpServer):
    """Bound when constructed; serves from `start` to `close`."""

    def __init__(
        self,
        address: tuple[str, int],
        inbox: Inbox,
        token: str | None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Raises OSError when the address cannot be had."""
        self.inbox = inbox
        self._open: dict[Any, None] = {}
        self._is_closed = False
        super().__init__(address, _Handler, token=token, tls=tls)

    def start(self) -> None:
        threading.Thread(target=self._accept_forever, name="pushed samples", daemon=True).start()

    def close(self) -> None:
        self._is_closed = True
        for connection in (self.socket, *self._open):
            cut(connection)
        self.socket.close()

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._open.pop(request, None)

    def _accept_forever(self) -> None:
        while not self._is_closed:
            try:
                request, client_address = self.get_request()
            except OSError:
                time.sleep(_AFTER_ACCEPT_ERROR_S)  # Closed, or short of descriptors.
                continue
            if len(self._open) >= MOST_CONNECTIONS:
                self._end_oldest()
            self._open[request] = None
            self.process_request(request, client_address)

    def _end_oldest(self) -> None:
        oldest = next(iter(self._open))
        self._open.pop(oldest, None)
        cut(oldest)


class _Handler(Handler):
    server: PushServer
    server_version = "capacity"
    timeout = _IDLE_S

    def do_POST(self) -> None:  # noqa: N802 - as http.server calls it
        try:
            wanted = self._taken()
        except RefusedError as refusal:
            self._answer(refusal.status, {"error": str(refusal)})
        else:
            self._answer(HTTPStatus.OK, {"next": wanted})

    def do_GET(self) -> None:  # noqa: N802 - as http.server calls it
        self._answer(HTTPStatus.METHOD_NOT_ALLOWED, {"error": "samples are posted here"})

    def _taken(self) -> int:
        if not self.is_authorized():
            raise RefusedError(HTTPStatus.UNAUTHORIZED, "a bearer token is needed")
        body = self._body()
        newest_seq = whole_number(self.headers.get("Capacity-Newest-Seq", ""))
        if self.path == "/v1/info":
            return self.server.inbox.take_info(body, newest_seq, self._round_trip_s())
        if self.path == "/v1/samples":
            return self.server.inbox.take_samples(body, newest_seq)
        raise RefusedError(HTTPStatus.NOT_FOUND, "there are /v1/info and /v1/samples")

    def _body(self) -> bytes:
        text = self.headers.get("Content-Length", "")
        length = whole_number(text)
        if "Transfer-Encoding" in self.headers or not (text.isascii() and text.isdecimal()):
            raise RefusedError(HTTPStatus.LENGTH_REQUIRED, "a Content-Length is needed")
        if length is None or length > MOST_BODY_BYTES:
            raise RefusedError(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"at most {MOST_BODY_BYTES} bytes at once"
            )
        body = self.rfile.read(length)
        if len(body) < length:
            raise ConnectionResetError
        return body

    def _round_trip_s(self) -> float:
        """Return the kernel's estimate for this connection (tcp_info: tcpi_rtt, microseconds)."""
        info = self.connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 72)
        return int.from_bytes(info[68:72], sys.byteorder) / 1e6

    def _answer(self, status: HTTPStatus, document: dict[str, Any]) -> None:
        headers = {}
        if status != HTTPStatus.OK:
            # What was refused may not have been read to its end.
            self.close_connection = True
            headers["Connection"] = "close"
        self.answer([json.dumps(document).encode()], headers=headers, status=status)
