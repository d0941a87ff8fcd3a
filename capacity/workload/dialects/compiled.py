"""A dialect ready for the hot path: matchers and paths as closures, shared by all conversations."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson

from capacity.workload.dialects import event_stream, mqtt
from capacity.workload.dialects.channel_requests import ChannelRequests
from capacity.workload.dialects.dialect import (
    Ack,
    Dialect,
    Heartbeat,
    Matcher,
    Messages,
    Sequence,
    Step,
    Subscribe,
    Unsubscribe,
)
from capacity.workload.dialects.matching import MISSING, Getter, Test, getter, matches, name_getter
from capacity.workload.dialects.moment import Clock, clock_by
from capacity.workload.dialects.patterned import Parse, Pattern
from capacity.workload.dialects.patterned import written as text_or_json
from capacity.workload.dialects.payload import Envelope, entries_of, envelope_of
from capacity.workload.dialects.sequence import Check, check_by, rule_for
from capacity.workload.dialects.template import PLACE, fill, names

Values = Mapping[str, Any]
Frame = Callable[[Values], bytes]
"""Values -> the frame's payload. Raises KeyError for a value that there is not."""
Text = Callable[[bytes], bytes]
Write = Callable[[Any], bytes]
"""A filled template -> the frame's payload."""
_SHOWN = 120


class Updates(NamedTuple):
    """One rule for updates."""

    fits: Test
    key: Getter | None
    items: Getter | None


class Rule(NamedTuple):
    """How the updates of one channel are numbered."""

    check: Check
    numbered: str
    """The channel's name, or nothing for the whole connection."""
    source: Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledAck:
    id_of: Getter | None
    """None: an answer belongs to the oldest open request."""
    id_type: type[int] | type[str]
    fits: Test
    is_ok: Test
    accepted: Getter | None
    channel: Getter | None
    is_error: Test
    code: Getter
    message: Getter

    def refusal(self, frame: Any) -> str | None:
        """Return why the answer *frame* is no confirmation; None if it is one."""
        if self.is_error(frame):
            told = (self.code(frame), self.message(frame))
            words = [str(word)[:_SHOWN] for word in told if isinstance(word, str | int)]
            return f"refused: {' '.join(words)}" if words else "refused"
        if not self.is_ok(frame):
            return "answered with neither a confirmation nor an error"
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledRequest:
    """A subscribe or unsubscribe request."""

    send: Any
    batch: int
    ack: CompiledAck | None
    write: Write
    requests: ChannelRequests

    def outcome(self, frame: Any, channels: tuple[str, ...]) -> tuple[list[str], str | None]:
        """Return the channels that the answer *frame* accepts, and why not all if it says so."""
        ack = self.ack
        assert ack is not None
        refusal = ack.refusal(frame)
        if refusal is not None:
            return [], refusal
        if ack.accepted is None:
            return list(channels), None
        accepted = ack.accepted(frame)
        if type(accepted) is not list:
            return [], "answered without the list of accepted channels"
        named = {channel for channel in accepted if type(channel) is str}
        asked = {channel: self.requests.of(channel) for channel in channels}
        return [
            channel
            for channel, name in asked.items()
            if name in (named if type(name) is str else accepted)
        ], None

    def frame(self, values: Values, channels: tuple[str, ...]) -> bytes:
        asked = tuple(self.requests.of(channel) for channel in channels)
        return self.write(fill(self.send, _With(values, channels=asked, channel=asked[0])))


class _With(dict[str, Any]):
    """Some values before others."""

    def __init__(self, outer: Values, **own: Any) -> None:
        super().__init__(own)
        self._outer = outer

    def __missing__(self, name: str) -> Any:
        return self._outer[name]


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledStep:
    """One step before the subscriptions."""

    frame: Frame | None
    ack: CompiledAck | None
    text: bytes | None
    keep: Mapping[str, Getter]


@dataclass(slots=True)
class Glances:
    """What glances of all connections left uncounted; whoever counts it sets it to 0."""

    unnumbered: int = 0
    """Updates that nothing numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledDialect:
    source: Dialect
    updates: tuple[Updates, ...]
    has_names: bool
    """Updates tell their channel."""
    envelope: Envelope | None
    entries: Callable[[Any], Iterator[Any]] | None
    parse: Parse
    is_json: bool
    is_binary: bool
    """Requests are binary messages."""
    is_opaque: bool
    clock: Clock | None
    glance_clock: Clock | None
    """None where a message is no update as a whole."""
    steps: tuple[CompiledStep, ...]
    subscribe: CompiledRequest | None
    unsubscribe: CompiledRequest | None
    confirm: str
    openings: tuple[Frame, ...]
    periodic: tuple[tuple[float, Frame], ...]
    answers: tuple[tuple[Test, Frame | None], ...]
    texts: dict[bytes, Frame | None]
    ignored: tuple[Test, ...]
    glances: Glances = field(default_factory=Glances)
    rules: dict[str, Rule | None] = field(default_factory=dict)
    """Numbering rule by channel, filled by rule_of; only subscribed channels get in."""

    def rule_of(self, channel: str) -> Rule | None:
        if channel not in self.rules:
            rule = rule_for(self.source.sequence, channel)
            self.rules[channel] = (
                None
                if rule is None
                else Rule(
                    check_by(rule),
                    "" if rule.scope == "connection" or not self.has_names else channel,
                    rule,
                )
            )
        return self.rules[channel]


def compile_dialect(dialect: Dialect) -> CompiledDialect:
    """Return *dialect* with everything precomputed; do it once a process."""
    rules = dialect.heartbeat
    envelope = envelope_of(dialect.messages, dialect.ws.max_message_bytes)
    is_mqtt = dialect.messages.content == "mqtt"
    parse = _parser(dialect)
    write = _writer(envelope, dialect.messages)
    text = _as_it_is if envelope is None else envelope.text
    clock = clock_by(dialect.time) if dialect.time else None
    requests = ChannelRequests(dialect)
    batch = dialect.subscribe.batch if dialect.subscribe else 1
    updates = tuple(_updates(data.where, data.key, data.items) for data in dialect.updates)
    return CompiledDialect(
        source=dialect,
        updates=updates,
        has_names=any(rule.key is not None for rule in updates),
        envelope=envelope,
        entries=entries_of(dialect.messages.list) if dialect.messages.list else None,
        parse=parse,
        is_json=parse is orjson.loads,
        is_binary=is_mqtt,
        is_opaque=dialect.messages.content == "opaque",
        clock=clock,
        glance_clock=None if dialect.messages.list or parse is not orjson.loads else clock,
        steps=tuple(_step(step, write, text) for step in dialect.opening),
        subscribe=_request(dialect.subscribe, batch, write, requests),
        unsubscribe=_request(dialect.unsubscribe, batch, write, requests),
        confirm=dialect.subscribe.confirm if dialect.subscribe else "none",
        openings=tuple(
            frame for rule in rules if rule.when == "connect" and (frame := _sent(rule, write))
        ),
        periodic=tuple(
            (rule.every_s, frame)
            for rule in rules
            if rule.every_s is not None and (frame := _sent(rule, write))
        ),
        answers=tuple(
            (matches(rule.when), _sent(rule, write))
            for rule in rules
            if isinstance(rule.when, dict)
        ),
        texts={
            text(rule.when_text.encode()): _sent(rule, write)
            for rule in rules
            if rule.when_text is not None
        },
        ignored=tuple(matches(matcher) for matcher in dialect.ignore),
    )


def _parser(dialect: Dialect) -> Parse:
    if dialect.ws.transport == "event_stream":
        return event_stream.parse
    if dialect.messages.content == "mqtt":
        return mqtt.parse
    pattern = dialect.messages.pattern
    return orjson.loads if pattern is None else Pattern(pattern).parse


def _as_it_is(message: bytes) -> bytes:
    return message


def _writer(envelope: Envelope | None, messages: Messages) -> Write:
    if messages.content == "mqtt":
        return mqtt.written
    written = orjson.dumps if messages.pattern is None else text_or_json
    if envelope is None:
        return written
    wrapped = envelope.wrapped
    return lambda tree: wrapped(written(tree))


def _updates(where: Matcher, key: str | None, items: str | None) -> Updates:
    return Updates(
        matches(where),
        name_getter(key) if key is not None else None,
        getter(items) if items is not None else None,
    )


def _request(
    section: Subscribe | Unsubscribe | None, batch: int, write: Write, requests: ChannelRequests
) -> CompiledRequest | None:
    if section is None:
        return None
    one_each = "channels" not in names(section.send)
    return CompiledRequest(
        send=section.send,
        batch=1 if one_each else batch,
        ack=compiled_ack(section.ack) if section.ack else None,
        write=write,
        requests=requests,
    )


def _step(step: Step, write: Write, text: Text) -> CompiledStep:
    return CompiledStep(
        frame=_sent(step, write),
        ack=compiled_ack(step.answer) if step.answer else None,
        text=None if step.answer_text is None else text(step.answer_text.encode()),
        keep={name: getter(path) for name, path in step.keep.items()},
    )


def compiled_ack(ack: Ack) -> CompiledAck:
    """Return how the answers are read that *ack* describes."""
    ids = {path: place[2] for path, value in ack.where.items() if (place := id_place(value))}
    rest: Matcher = {path: value for path, value in ack.where.items() if path not in ids}
    error = ack.error
    return CompiledAck(
        id_of=getter(next(iter(ids))) if ids else None,
        id_type=str if "str" in ids.values() else int,
        fits=matches(rest),
        is_ok=matches(ack.ok),
        accepted=getter(ack.accepted) if ack.accepted else None,
        channel=name_getter(ack.channel) if ack.channel else None,
        is_error=matches(error.where) if error else lambda _frame: False,
        code=getter(error.code) if error and error.code else lambda _frame: MISSING,
        message=getter(error.message) if error and error.message else lambda _frame: MISSING,
    )


def id_place(expected: Any) -> re.Match[str] | None:
    """Return the place that a matcher's entry keeps for the request's id, if it does."""
    place = PLACE.fullmatch(expected) if isinstance(expected, str) else None
    return place if place and place[1] == "id" else None


def _sent(rule: Heartbeat | Step, write: Write) -> Frame | None:
    if rule.send_text is not None:
        text = rule.send_text.encode()
        return lambda _values: text
    if rule.send is None:
        return None
    return lambda values: write(fill(rule.send, values))
