"""How a trader's requests reach the target: on an HTTP connection, or a WebSocket, of its own."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import gevent
import orjson
from gevent.event import AsyncResult

from capacity.loadgen.client.clients import Clients
from capacity.loadgen.wire.connection import Connection
from capacity.loadgen.wire.connection_values import at_this_moment
from capacity.loadgen.wire.handshake import HandshakeError, open_websocket
from capacity.loadgen.wire.http_connection import ExchangeError
from capacity.loadgen.wire.polls import shared_headers
from capacity.workload.conversation import Conversation
from capacity.workload.dialects.values import NOTHING
from capacity.workload.order_cycle import Outcome
from capacity.workload.order_requests import Told

FIRST_ID = 1_000_000_000
"""Beyond the ids of the conversation, whose answers come over the same connection."""
UNAUTHORIZED = 401


class Asked(NamedTuple):
    told: Told
    failure: str | None = None
    """What a request without an answer is counted under."""


class Way(Protocol):
    name: str

    def ask(self, operation: str, values: Mapping[str, Any]) -> Asked: ...

    def close(self) -> None: ...


class RestWay:
    name = "rest"

    def __init__(self, clients: Clients, timeout_s: float) -> None:
        assert clients.orders is not None
        self._orders = clients.orders
        self._headers = shared_headers(clients.target, clients.dialect.source)
        self._connection = clients.order_connection(timeout_s)
        self._kept: Mapping[str, Any] | None = None if self._orders.entry.login else NOTHING

    def ask(self, operation: str, values: Mapping[str, Any]) -> Asked:
        """Ask, after the login where that is due."""
        if self._kept is None:
            login = self._exchanged("login", values)
            if login.told.outcome is not Outcome.ANSWERED:
                return Asked(
                    login.told._replace(outcome=Outcome.NOT_SENT),
                    login.failure or "order_login_refused",
                )
            self._kept = login.told.kept
        return self._exchanged(operation, {**values, **self._kept})

    def close(self) -> None:
        self._connection.close()

    def _exchanged(self, operation: str, values: Mapping[str, Any]) -> Asked:
        request = self._orders.over_http(operation, values, self._headers)
        data = b"\r\n".join((request.head, request.body))
        try:
            answer = self._connection.exchange(data, is_repeatable=request.method == "GET")
        except ExchangeError as trouble:
            reason = str(trouble).removeprefix("request_")
            if self._connection.has_asked:
                return Asked(Told(Outcome.UNKNOWN, reason), f"order_unknown_{reason}")
            return Asked(Told(Outcome.NOT_SENT, reason), f"order_not_sent_{reason}")
        self._connection.finish()
        told = self._orders.read_text(operation, answer.status, answer.body)
        if answer.status == UNAUTHORIZED and self._orders.entry.login:
            self._kept = None
        return Asked(told)


class WebSocketWay:
    """One request at a time; what else comes over the connection is answered as the dialect says."""

    name = "websocket"

    def __init__(self, clients: Clients, number: int, timeout_s: float) -> None:
        assert clients.orders is not None
        self._clients, self._orders = clients, clients.orders
        self._number, self._timeout_s = number, timeout_s
        self._envelope = clients.dialect.envelope
        self._ids = itertools.count(FIRST_ID)
        self._connection: Connection | None = None
        self._conversation: Conversation | None = None
        self._kept: Mapping[str, Any] = NOTHING
        self._waits_for: int | str | None = None
        self._answer: AsyncResult[Any] = AsyncResult()

    @property
    def is_open(self) -> bool:
        return self._connection is not None

    def ask(self, operation: str, values: Mapping[str, Any]) -> Asked:
        """Ask, after opening and login where they are due."""
        wait_s = self._clients.request_turns.wait_s(1)
        try:
            with gevent.Timeout(self._timeout_s + wait_s):
                trouble = self._ready(values)
        except gevent.Timeout:
            self.close()
            trouble = "login_timeout"
        except HandshakeError as error:
            trouble = str(error)
        if trouble is not None:
            return Asked(Told(Outcome.NOT_SENT, trouble), f"order_not_sent_{trouble}")
        return self._asked(operation, {**values, **self._kept})

    def send_periodic(self, rule: int) -> None:
        """Send what the dialect's periodic rule with this number says."""
        if self._connection is not None and self._conversation is not None:
            self._connection.send(self._conversation.every(rule))

    def close(self) -> None:
        self._clients.trading_lines.discard(self)
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def on_messages(self, _connection: Connection, payloads: Sequence[bytes]) -> None:
        conversation = self._conversation
        assert conversation is not None
        for message in conversation.messages(payloads):
            if not self._is_answer(message):
                for reception in conversation.receive_all(message):
                    for reply in reception.replies:
                        if self._connection is not None:
                            self._connection.send(reply)

    def on_lost(self, _connection: Connection, reason: str) -> None:
        self._connection = None
        self._clients.trading_lines.discard(self)
        self._answer.set(ConnectionError(reason))

    def _ready(self, values: Mapping[str, Any]) -> str | None:
        """Open and log in; return what went wrong. Raises HandshakeError."""
        if self._connection is not None:
            return None
        clients = self._clients
        own = clients.values.of(self._number) if clients.has_values else NOTHING
        opened = open_websocket(clients.endpoint_for((), own))
        self._conversation = Conversation(
            clients.dialect, (), *((at_this_moment(own),) if clients.has_values else ())
        )
        most_bytes = clients.max_message_bytes
        self._connection = clients.trading.add(opened.socket, self, most_bytes, opened.compression)
        clients.trading_lines.add(self)
        self._kept = NOTHING
        if self._orders.entry.login is not None:
            login = self._asked("login", values)
            if login.told.outcome is not Outcome.ANSWERED:
                self.close()
                return login.failure or "login_refused"
            self._kept = login.told.kept
        return None

    def _asked(self, operation: str, values: Mapping[str, Any]) -> Asked:
        assert self._connection is not None
        number = next(self._ids)
        self._waits_for = self._orders.answer.id_type(number)
        self._answer = AsyncResult()
        frame, envelope = self._orders.frame(operation, {**values, "id": number}), self._envelope
        if envelope is not None:
            frame = envelope.wrapped(frame)
        if operation == "login":
            self._clients.request_turns.send(frame, self._send)
        else:  # In its own time, which others leave it.
            self._send(frame)
        try:
            answer = self._answer.get(timeout=self._timeout_s)
        except gevent.Timeout:
            return Asked(Told(Outcome.UNKNOWN, "timeout"), "order_unknown_timeout")
        finally:
            self._waits_for = None
        if isinstance(answer, ConnectionError):
            return Asked(Told(Outcome.UNKNOWN, str(answer)), f"order_unknown_{answer}")
        return Asked(self._orders.read(operation, answer))

    def _send(self, frame: bytes) -> bool:
        if self._connection is None:
            return False
        self._connection.send(frame)
        return True

    def _is_answer(self, message: bytes) -> bool:
        if self._waits_for is None:
            return False
        try:
            frame = orjson.loads(message)
        except orjson.JSONDecodeError:
            return False
        ack = self._orders.answer
        if not ack.fits(frame) or (ack.id_of is not None and ack.id_of(frame) != self._waits_for):
            return False
        self._waits_for = None
        self._answer.set(frame)
        return True
