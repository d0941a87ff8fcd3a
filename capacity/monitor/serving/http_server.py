"""
What the agent's HTTP server and the receiver of pushed samples have in common.

Bound when constructed, TLS by the threads that serve and not where connections are accepted, one
bearer token, errors in JSON, and not a word on the terminal. Without a token, only this host is
served and only under its own names: a page of the web could have its own name lead here. Which connections have to go where there are too many
is each server's own rule.
"""

import contextlib
import hmac
import ipaddress
import json
import socket
import socketserver
import ssl
import sys
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

MOST_CONNECTIONS = 16
_MOST_DIGITS = 18
_ONCE = ("Authorization", "Content-Length", "Host", "Transfer-Encoding")


class HttpServer(ThreadingHTTPServer):
    """Serves a few clients over HTTP or, with *tls*, HTTPS. Raises OSError when it cannot bind."""

    request_queue_size = 32

    def __init__(
        self,
        address: tuple[str, int],
        handler: type["Handler"],
        *,
        token: str | None,
        tls: ssl.SSLContext | None,
    ) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.token = token
        self._tls = tls
        super().__init__(address, handler)

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
            except (OSError, ValueError) as error:
                request.close()
                raise ConnectionAbortedError from error
        return request, client_address

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away concerns nobody; anything else is a defect and is shown."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


def whole_number(text: str) -> int | None:
    """Return the number that *text* is, of few digits and no sign; None where it is none."""
    is_number = text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS
    return int(text) if is_number else None


def is_local(host: str | None) -> bool:
    """Tell whether a request's Host names this host: by an address, as localhost, or by its name.

    Browsers always send one, and it is a page's own name where that name leads here.
    """
    if host is None:
        return True
    before, _, port = host.rpartition(":")
    name = (before if port.isdecimal() else host).removeprefix("[").removesuffix("]")
    name = name.rstrip(".").lower()
    for address in (name, host):
        with contextlib.suppress(ValueError):
            ipaddress.ip_address(address)
            return True
    return (
        name == "localhost" or name.endswith(".localhost") or name == socket.gethostname().lower()
    )


def cut(connection: Any) -> None:
    """End a connection whose thread is at work on it: the thread finds it closed."""
    with contextlib.suppress(OSError):
        # Not SSLSocket's own, which takes away what the thread is using.
        socket.socket.shutdown(connection, socket.SHUT_RDWR)


class Handler(BaseHTTPRequestHandler):
    """One connection; a subclass has the methods that it serves, and its `timeout`."""

    server: HttpServer
    protocol_version = "HTTP/1.1"
    sys_version = ""
    disable_nagle_algorithm = True
    wbufsize = -1

    def setup(self) -> None:
        super().setup()
        if isinstance(self.connection, ssl.SSLSocket):
            self.connection.do_handshake()

    def parse_request(self) -> bool:
        """Read a request's head; refuse one that two readers could understand in two ways."""
        if not super().parse_request():
            return False
        refusal = self._refusal()
        if refusal is not None:
            self.send_error(*refusal)
        return refusal is None

    def _refusal(self) -> tuple[HTTPStatus, str] | None:
        if not self.request_version.startswith("HTTP/1."):
            # Of HTTP/0.9 it would be answered without a status, which nobody can tell from content.
            return HTTPStatus.HTTP_VERSION_NOT_SUPPORTED, "HTTP/1.0 or HTTP/1.1 is spoken here"
        names = [name.lower() for name in self.headers]
        # The parser takes a line with a space before its colon for the end of the head.
        if self.headers.defects or any(name != name.strip() for name in names):
            return HTTPStatus.BAD_REQUEST, "a header's name ends at its colon"
        for name in _ONCE:
            if names.count(name.lower()) > 1:
                return HTTPStatus.BAD_REQUEST, f"{name} is there twice"
        try:
            urlsplit(self.path)
        except ValueError:
            return HTTPStatus.BAD_REQUEST, "the path is no path"
        if self.server.token is None and not is_local(self.headers.get("Host")):
            return (
                HTTPStatus.MISDIRECTED_REQUEST,
                "without a token only localhost, this host's own name and addresses are answered to",
            )
        return None

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
        self.answer(parts, headers=headers, status=status)

    def is_authorized(self) -> bool:
        """Tell whether the request carries the server's token, if that has one."""
        if self.server.token is None:
            return True
        scheme, _, given = self.headers.get("Authorization", "").partition(" ")
        is_same = hmac.compare_digest(
            given.strip().encode("latin-1", "replace"), self.server.token.encode()
        )
        return is_same and scheme.lower() == "bearer"

    def answer(
        self,
        parts: Sequence[bytes],
        content_type: str = "application/json",
        headers: Mapping[str, str] | None = None,
        status: HTTPStatus = HTTPStatus.OK,
    ) -> None:
        """Send *parts* as they are, one after the other: never joined, they may be large."""
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(sum(map(len, parts))))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        for part in parts:
            self.wfile.write(part)

    def log_message(self, *_: Any) -> None:
        """Say nothing: what is wrong is in the answer, and one line a request would be all we write."""
