"""A dialect ready for the hot path: matchers and paths as closures, shared by all conversations."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson

from capacity.domain.words import UNASKED_ERROR
from capacity.workload.dialects.answers import CompiledAck
from capacity.workload.dialects.channel_requests import ChannelRequests
from capacity.workload.dialects.checksum import BookRule, BookShare
from capacity.workload.dialects.dialect import Dialect
from capacity.workload.dialects.encodings import event_stream, mqtt, sbe
from capacity.workload.dialects.encodings.patterned import Parse, pattern_of
from capacity.workload.dialects.encodings.patterned import written as text_or_json
from capacity.workload.dialects.encodings.payload import Envelope, Messages, entries_of, envelope_of
from capacity.workload.dialects.matching import (
    Getter,
    Matcher,
    Test,
    as_number,
    getter,
    matches,
    name_getter,
)
from capacity.workload.dialects.moment import Clock, clock_of
from capacity.workload.dialects.sending import (
    CompiledRequest,
    CompiledStep,
    Frame,
    Write,
    compiled_request,
    compiled_step,
    sent,
)
from capacity.workload.dialects.sequence import Check, Sequence, check_by, rule_for, snapshot_test


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
    book: BookRule | None
    """Of what a checksum is; None where there is none."""
    is_snapshot: Callable[[Any, Any], bool] | None
    is_numbered: bool
    """There is a number beside it."""


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
    has_aliases: bool
    """Updates carry names that confirmations handed out."""
    openings: tuple[Frame, ...]
    periodic: tuple[tuple[float, Frame], ...]
    answers: tuple[tuple[Test, Frame | None], ...]
    texts: dict[bytes, Frame | None]
    ignored: tuple[Test, ...]
    acks: tuple[CompiledAck, ...]
    """How all kinds of requests are answered."""
    numbered_others: tuple[tuple[Test, Check], ...]
    """Which frames are no updates and numbered among them, and by what."""
    requests: ChannelRequests
    glances: Glances = field(default_factory=Glances)
    book_share: BookShare = field(default_factory=BookShare)
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
                    self._book_of(rule, channel),
                    snapshot_test(rule.snapshot),
                    rule.rule != "checksum",
                )
            )
        return self.rules[channel]

    def why_unmatched(self, frame: Any) -> str:
        """Return why there is no rule for *frame*."""
        is_error = any(ack.tells_error(frame) for ack in self.acks)
        return UNASKED_ERROR if is_error else "no rule for"

    def _book_of(self, rule: Sequence, channel: str) -> BookRule | None:
        book = rule.book
        if book is None:
            return None
        depth = book.depth
        if isinstance(depth, int):
            return BookRule(book, depth)
        asked = as_number(getter(depth)(self.requests.of(channel)))
        return None if asked is None else BookRule(book, asked)


def compile_dialect(dialect: Dialect) -> CompiledDialect:
    """Return *dialect* with everything precomputed; do it once a process."""
    rules = dialect.heartbeat
    envelope = envelope_of(dialect.messages, dialect.ws.max_message_bytes)
    is_mqtt = dialect.messages.content == "mqtt"
    parse = _parser(dialect)
    write = _writer(envelope, dialect.messages)
    text = _as_it_is if envelope is None else envelope.text
    clock = clock_of(dialect.times)
    requests = ChannelRequests(dialect.channels)
    batch = dialect.subscribe.batch if dialect.subscribe else 1
    updates = tuple(_updates(data.where, data.key, data.items) for data in dialect.updates)
    steps = tuple(compiled_step(step, write, text) for step in dialect.opening)
    subscribe = compiled_request(dialect.subscribe, batch, write, requests)
    unsubscribe = compiled_request(dialect.unsubscribe, batch, write, requests)
    asked = [each for each in (*steps, subscribe, unsubscribe) if each is not None]
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
        glance_clock=None if dialect.messages.list else clock,
        steps=steps,
        subscribe=subscribe,
        unsubscribe=unsubscribe,
        confirm=dialect.subscribe.confirm if dialect.subscribe else "none",
        has_aliases=dialect.has_aliases,
        openings=tuple(
            frame for rule in rules if rule.when == "connect" and (frame := sent(rule, write))
        ),
        periodic=tuple(
            (rule.every_s, frame)
            for rule in rules
            if rule.every_s is not None and (frame := sent(rule, write))
        ),
        answers=tuple(
            (matches(rule.when), sent(rule, write)) for rule in rules if isinstance(rule.when, dict)
        ),
        texts={
            text(rule.when_text.encode()): sent(rule, write)
            for rule in rules
            if rule.when_text is not None
        },
        ignored=tuple(matches(matcher) for matcher in dialect.ignore),
        acks=tuple(each.ack for each in asked if each.ack is not None),
        numbered_others=tuple(
            (matches(rule.where), check_by(rule))
            for rule in dialect.sequence
            if rule.where is not None
        ),
        requests=requests,
    )


def _parser(dialect: Dialect) -> Parse:
    if dialect.ws.transport == "event_stream":
        return event_stream.parse
    if dialect.messages.content == "mqtt":
        return mqtt.parse
    if dialect.messages.content == "sbe":
        return sbe.parser_of(dialect.messages.schema or "")
    pattern = dialect.messages.pattern
    return orjson.loads if pattern is None else pattern_of(pattern).parse


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
