"""HTTP to where samples are: a bounded answer in bounded time, or one sentence that says who did not give it.

No redirect is followed: tokens go to the address of the target file and to nobody else. No proxy
stands between us and the target's host.
"""

import base64
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
from capacity.domain.words import printable
from capacity.monitor.serving.credentials import require_secret
from capacity.sources.deadline import LateError, within
from capacity.sources.silence import silence

TIMEOUT_S = 3.0
"""Without a byte."""
WHOLE_S = 10.0
"""For the whole answer, head and body, however steadily they drip."""
MOST_BYTES = 64 * 1024 * 1024
"""An hour of samples is a tenth of it; what is longer comes from somebody else."""
_CHUNK_BYTES = 1 << 16
_PLAIN = "identity"
"""What http.client asks for."""
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


def read_basic(file: Path) -> str:
    """Return what basic authentication sends of USER:PASSWORD in *file*. Raises ConfigError."""
    what = f"{file}: cannot read USER:PASSWORD"
    require_secret(what, file)
    try:
        text = file.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{what} ({error})") from None
    user, colon, _password = text.partition(":")
    if not user or not colon or not text.isprintable():
        raise ConfigError(f"{file}: must hold one line, USER:PASSWORD")
    return base64.b64encode(text.encode()).decode()


class Web:
    """One place on the web. *name* is what a sentence calls it, *remedy* what to do when silent, *key*
    where the target file has its address.
    """

    def __init__(
        self,
        url: str,
        *,
        name: str,
        remedy: str,
        key: str,
        token_file: str | None = None,
        basic_auth_file: str | None = None,
        ca_file: str | None = None,
        accept: str = "*/*",
    ) -> None:
        """Raises ConfigError when the token or the authorities cannot be read."""
        parts = urlsplit(url)
        assert parts.hostname is not None, "addresses are checked with the target file"
        self._host, self._port, self._folder = parts.hostname, parts.port, parts.path
        self._tls = _tls(ca_file) if parts.scheme == "https" else None
        self._name, self._remedy, self._key = name, remedy, key
        self._headers = {"Accept": accept}
        self._idle: list[http.client.HTTPConnection] = []
        weakref.finalize(self, _close, self._idle)
        if token_file is not None:
            self._headers["Authorization"] = f"Bearer {read_token(Path(token_file))}"
        if basic_auth_file is not None:
            self._headers["Authorization"] = f"Basic {read_basic(Path(basic_auth_file))}"

    def fetch(self, path: str = "", parameters: Mapping[str, str] | None = None) -> Answer:
        """Return the answer, whatever its status. Raises UnreachableError."""
        address = f"{self._folder.rstrip('/')}{path}" if path else self._folder or "/"
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
            why = silence(error, self._key, TIMEOUT_S)
            raise UnreachableError(
                f"{self._name} does not answer ({why.cause}); {why.remedy or self._remedy_of(error)}"
            ) from None
        self._idle.append(connection)
        return answer

    def close(self) -> None:
        _close(self._idle)

    def _remedy_of(self, error: Exception) -> str:
        """Return what to do where the cause alone does not tell: who speaks TLS hangs up on what is none."""
        may_be_tls = self._tls is None and isinstance(error, (*_HUNG_UP, http.client.BadStatusLine))
        return (
            f"write https:// in {self._key} if TLS is spoken there; or {self._remedy}"
            if may_be_tls
            else self._remedy
        )

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
            encoding = response.headers.get("Content-Encoding", _PLAIN)
            if encoding != _PLAIN:
                raise UnreachableError(
                    f"{self._name} answers in {printable(encoding, 20)}, which nobody asked for; let it"
                    " heed Accept-Encoding, or what stands before it"
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
