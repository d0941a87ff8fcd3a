"""What the templates of one connection may hold: its number, what the target file gives, the time.

Connections are numbered over all workers: the workers take them in turn, so that no two have the
same row of a file.
"""

import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import orjson

from capacity.loadgen.wire.handshake import HandshakeError
from capacity.loadgen.wire.http_connection import ExchangeError
from capacity.loadgen.wire.polls import one_poll, poll_connection
from capacity.settings.target import Target
from capacity.settings.values import Value, texts_of
from capacity.workload.dialects.dialect import Dialect
from capacity.workload.dialects.matching import getter
from capacity.workload.dialects.values import FrameValues, handshake_signatures

_last_us = 0
NO_ROW = "generator_no_row"
"""What a connection is counted under for which a file of values has no row."""


class ConnectionValues:
    """The values of one target for all connections of one worker."""

    def __init__(
        self,
        target: Target,
        dialect: Dialect,
        sources: Iterator[str | None],
        *,
        worker: int = 0,
        workers: int = 1,
    ) -> None:
        """Read what is in files and the environment. Raises ConfigError.

        Requests for values leave from the next of *sources* each time.
        """
        self._target, self._dialect, self._sources = target, dialect, sources
        self._worker, self._workers = worker, workers
        self._signed = handshake_signatures(dialect)
        self._fixed: dict[str, str] = {}
        self._rows: dict[str, list[str]] = {}
        self._asked: dict[str, tuple[str, str]] = {}
        for name in dialect.needs:
            value = target.values.get(name, "")
            texts = texts_of(name, value)
            if isinstance(texts, str):
                self._fixed[name] = texts
            elif texts is not None:
                self._rows[name] = texts
            else:
                assert isinstance(value, Value)
                self._asked[name] = value.operation or "", value.path or ""

    def number_of(self, index: int) -> int:
        """Return the number, over all workers, of this worker's connection *index*."""
        return index * self._workers + self._worker

    def of(self, index: int) -> dict[str, Any]:
        """Return the values of this worker's connection *index*. Raises HandshakeError."""
        number = self.number_of(index)
        values: dict[str, Any] = {"connection": number, **self._fixed}
        for name, rows in self._rows.items():
            if number >= len(rows):
                raise HandshakeError(NO_ROW)
            values[name] = rows[number]
        answers: dict[str, bytes] = {}
        for name, (operation, path) in self._asked.items():
            if operation not in answers:
                answers[operation] = self._answer(operation, values)
            values[name] = _value_in(answers[operation], path)
        if self._signed:
            at_once = FrameValues(at_this_moment(values)(), signatures=self._dialect.signatures)
            values.update({name: at_once[name] for name in self._signed})
        return values

    def _answer(self, operation: str, values: Mapping[str, Any]) -> bytes:
        """Ask for what belongs to the connection that has *values* so far."""
        target, dialect = self._target, self._dialect
        symbol = next(iter(target.symbols), "")
        poll = one_poll(target, dialect, operation, symbol, is_kept=False, values=values)
        timeout_s = dialect.ws.open_timeout_s
        connection = poll_connection(
            target, dialect, poll.url, self._sources, timeout_s, is_kept=False
        )
        try:
            answer = connection.exchange(poll.head + b"\r\n" + poll.body, is_repeatable=False)
        except ExchangeError as error:
            raise HandshakeError(
                f"handshake_value_{str(error).removeprefix('request_')}"
            ) from error
        finally:
            connection.close()
        if answer.status >= 300:
            raise HandshakeError(f"handshake_value_rejected_{answer.status}")
        return answer.body


def _value_in(body: bytes, path: str) -> str | int:
    try:
        value = getter(path)(orjson.loads(body))
    except orjson.JSONDecodeError:
        value = None
    if type(value) is not str and type(value) is not int:
        raise HandshakeError("handshake_value_missing")
    return value


def at_this_moment(values: Mapping[str, Any]) -> Callable[[], Mapping[str, Any]]:
    """Return the function that has the values of one request: *values*, the time and a nonce."""
    return lambda: {**values, **moment()}


def moment() -> dict[str, Any]:
    """Return the time and a nonce; no two calls of a process have the same microsecond."""
    global _last_us  # noqa: PLW0603 - nonces that must grow are one key's, whoever sends them
    at_us = time.time_ns() // 1000
    _last_us = max(at_us, _last_us + 1)
    return {
        "now_s": at_us // 1_000_000,
        "now_ms": at_us // 1000,
        "now_us": _last_us,
        "nonce": secrets.token_hex(16),
    }
