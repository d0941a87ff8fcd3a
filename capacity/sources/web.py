"""HTTP to where samples are: a bounded answer in bounded time, or one sentence that says who did not give it.

No redirect is followed: tokens go to the address of the target file and to nobody else. No proxy
stands between us and the target's host.
"""

import contextlib
import http.client
import socket
import ssl
import weakref
from collections.abc import Mapping
from email.message import Message
from http import HTTPStatus
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode, urlsplit

from capacity.domain.errors import ConfigError, UnreachableError
from capacity.monitor.serving.credentials import require_secret
from capacity.sources.deadline import LateError, within

TIMEOUT_S = 3.0
"""Without a byte."""
WHOLE_S = 10.0
"""For the whole answer, head and body, however steadily they drip."""
MOST_BYTES = 64 * 1024 * 1024
"""An hour of samples is a tenth of it; what is longer comes from somebody else."""
_NO_TLS_THERE = frozenset(
    {"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "UNEXPECTED_EOF_WHILE_READING", "HTTP_REQUEST"}
)
"""What is made of an answer that is none of TLS."""
_WRONG_NAME = {62, 64}
"""X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH."""
_CHUNK_BYTES = 1 << 16
_HUNG_UP = (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError)


class Answer(NamedTuple):
    status: int
    headers: Message
    """By name in any case."""
    body: bytes

    @property
    def is_ok(self) -> bool:
        return self.status == HTTPStatus.OK


def read_token(file: Path) -> str:
    """Return the token in *file*, one word. Raises ConfigError, also where others may read it."""
    require_secret(f"{file}: cannot read the agent's token", file)
    try:
        if file.exists() and not file.is_file():
            raise ConfigError(f"{file}: is no regular file; a token is one word in one")
        token = file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{file}: cannot read the agent's token ({error}); give a file with one"
            " word, the token that the agent was started with"
        ) from None
    if not token or not token.isprintable() or " " in token:
        raise ConfigError(
            f"{file}: a token is one word of printable ASCII; give a file with the one that the agent"
            " was started with"
        )
    return token


class Web:
    """One place on the web. *name* is what a sentence calls it, *remedy* what to do when silent."""

    def __init__(
        self,
        url: str,
        *,
        name: str,
        remedy: str,
        token_file: str | None = None,
        ca_file: str | None = None,
        key: str = "agent",
        accept: str = "*/*",
    ) -> None:
        """*key* is where the target file names it. Raises ConfigError when a file cannot be read."""
        parts = urlsplit(url.rstrip("/"))
        assert parts.hostname is not None, "addresses are checked with the target file"
        self._host, self._port, self._folder = parts.hostname, parts.port, parts.path
        self._tls = _tls(ca_file) if parts.scheme == "https" else None
        self._name, self._remedy, self._key = name, remedy, key
        self._headers = {"Accept": accept}
        self._idle: list[http.client.HTTPConnection] = []
        weakref.finalize(self, _close, self._idle)
        if token_file is not None:
            self._headers["Authorization"] = f"Bearer {read_token(Path(token_file))}"

    def fetch(self, path: str = "", parameters: Mapping[str, str] | None = None) -> Answer:
        """Return the answer, whatever its status. Raises UnreachableError."""
        address = self._folder + path or "/"
        if parameters:
            address += f"?{urlencode(parameters)}"
        connection = self._idle.pop() if self._idle else self._connection()
        try:
            answer = within(
                WHOLE_S,
                lambda: self._asked(connection, address),
                give_up=lambda: _cut(connection),
            )
        except LateError:
            raise UnreachableError(
                f"{self._name} took more than {WHOLE_S:.0f} s to answer; {self._remedy}"
            ) from None
        except (http.client.HTTPException, OSError, ValueError) as error:
            raise UnreachableError(
                f"{self._name} does not answer ({_cause(error)}); {self._remedy_of(error)}"
            ) from None
        self._idle.append(connection)
        return answer

    def close(self) -> None:
        _close(self._idle)

    def _remedy_of(self, error: Exception) -> str:
        """Return what to do: TLS on one side alone, and certificates that nobody knows, have their own."""
        match error:
            case ssl.SSLCertVerificationError() if error.verify_code in _WRONG_NAME:
                return "its certificate is for another name: write that name into its address"
            case ssl.SSLCertVerificationError():
                return (
                    f"set {self._key}.ca_file in the target file to the file that holds its"
                    " certificate, or that of the authority that signed it"
                )
            case ssl.SSLError() if error.reason in _NO_TLS_THERE:
                return (
                    f"write http:// into its address, unless it is to speak TLS; or {self._remedy}"
                )
            case (
                http.client.RemoteDisconnected()
                | http.client.BadStatusLine()
                | ConnectionResetError()
            ):
                return f"write https:// into its address if it speaks TLS; or {self._remedy}"
            case _:
                return self._remedy

    def _connection(self) -> http.client.HTTPConnection:
        if self._tls is None:
            return http.client.HTTPConnection(self._host, self._port, timeout=TIMEOUT_S)
        return http.client.HTTPSConnection(
            self._host, self._port, timeout=TIMEOUT_S, context=self._tls
        )

    def _asked(self, connection: http.client.HTTPConnection, address: str) -> Answer:
        was_open = connection.sock is not None
        try:
            return self._once(connection, address)
        except _HUNG_UP:
            if not was_open:
                raise
        return self._once(connection, address)  # It was ended while nobody asked.

    def _once(self, connection: http.client.HTTPConnection, address: str) -> Answer:
        with contextlib.ExitStack() as undone:
            undone.callback(connection.close)
            answer = self._answer(connection, address)
            undone.pop_all()
        return answer

    def _answer(self, connection: http.client.HTTPConnection, address: str) -> Answer:
        connection.request("GET", address, headers=self._headers)
        with connection.getresponse() as response:
            body = bytearray()
            while chunk := response.read(_CHUNK_BYTES):
                body += chunk
                if len(body) > MOST_BYTES:
                    raise UnreachableError(
                        f"{self._name} answers with more than {MOST_BYTES} bytes; {self._remedy}"
                    )
            if response.length:
                raise http.client.IncompleteRead(bytes(body[:0]), response.length)
            return Answer(response.status, response.headers, bytes(body))


def _tls(ca_file: str | None) -> ssl.SSLContext:
    if ca_file is not None and not Path(ca_file).is_file():
        raise ConfigError(f"{ca_file}: no such file; ca_file is a PEM file of authorities")
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ValueError) as error:
        raise ConfigError(f"{ca_file}: not a PEM file of authorities ({error})") from None


def _close(idle: list[http.client.HTTPConnection]) -> None:
    while idle:
        idle.pop().close()


def _cut(connection: http.client.HTTPConnection) -> None:
    """End a connection that somebody else waits on."""
    with contextlib.suppress(OSError, AttributeError):  # There may be no socket yet.
        # Not SSLSocket's own, which takes away what is in use.
        socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)


def _cause(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return f"TLS: {str(error)[-120:]}"
    return type(error).__name__
