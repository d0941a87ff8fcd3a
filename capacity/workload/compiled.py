"""A dialect ready for the hot path: matchers and paths as closures, shared by all conversations."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson

from capacity.workload.dialect import (
    Ack,
    Dialect,
    Heartbeat,
    Matcher,
    Sequence,
    Subscribe,
    Unsubscribe,
)
from capacity.workload.matching import MISSING, Getter, Test, getter, matches
from capacity.workload.moment import Clock, clock_by
from capacity.workload.sequence import Check, check_by, rule_for
from capacity.workload.shortcut import Shortcuts
from capacity.workload.template import PLACE, fill, names

Frame = Callable[[int], bytes]
"""Request id -> the frame's payload."""
_SHOWN = 120


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
    is_error: Test
    code: Getter
    message: Getter


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledRequest:
    """A subscribe or unsubscribe request."""

    send: Any
    batch: int
    ack: CompiledAck | None

    def outcome(self, frame: Any, channels: tuple[str, ...]) -> tuple[list[str], str | None]:
        """Return the channels that the answer *frame* accepts, and why not all if it says so."""
        ack = self.ack
        assert ack is not None
        if ack.is_error(frame):
            told = (ack.code(frame), ack.message(frame))
            words = [str(word)[:_SHOWN] for word in told if isinstance(word, str | int)]
            return [], f"refused: {' '.join(words)}" if words else "refused"
        if not ack.is_ok(frame):
            return [], "answered with neither a confirmation nor an error"
        if ack.accepted is None:
            return list(channels), None
        accepted = ack.accepted(frame)
        if type(accepted) is not list:
            return [], "answered without the list of accepted channels"
        named = {channel for channel in accepted if type(channel) is str}
        return [channel for channel in channels if channel in named], None

    def frame(self, request: int, channels: tuple[str, ...]) -> bytes:
        values = {"id": request, "channels": channels, "channel": channels[0]}
        return orjson.dumps(fill(self.send, values))


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledDialect:
    source: Dialect
    is_data: Test
    key: Getter | None
    items: Getter | None
    clock: Clock | None
    subscribe: CompiledRequest | None
    unsubscribe: CompiledRequest | None
    confirm: str
    openings: tuple[Frame, ...]
    periodic: tuple[tuple[float, Frame], ...]
    answers: tuple[tuple[Test, Frame | None], ...]
    texts: dict[bytes, Frame | None]
    ignored: tuple[Test, ...]
    shortcuts: Shortcuts
    rules: dict[str, Rule | None] = field(default_factory=dict)
    """Numbering rule by channel, filled by rule_of; only subscribed channels get in."""

    def rule_of(self, channel: str) -> Rule | None:
        if channel not in self.rules:
            rule = rule_for(self.source.sequence, channel)
            self.rules[channel] = (
                None
                if rule is None
                else Rule(check_by(rule), "" if rule.scope == "connection" else channel, rule)
            )
        return self.rules[channel]


def compile_dialect(dialect: Dialect) -> CompiledDialect:
    """Return *dialect* with everything precomputed; do it once a process."""
    rules = dialect.heartbeat
    data = dialect.data
    return CompiledDialect(
        source=dialect,
        is_data=matches(data.where),
        key=getter(data.key) if data.key else None,
        items=getter(data.items) if data.items else None,
        clock=clock_by(dialect.time) if dialect.time else None,
        subscribe=_request(dialect.subscribe, _batch(dialect.subscribe)),
        unsubscribe=_request(dialect.unsubscribe, _batch(dialect.subscribe)),
        confirm=dialect.subscribe.confirm if dialect.subscribe else "none",
        openings=tuple(_sent(rule) for rule in rules if rule.when == "connect"),
        periodic=tuple((rule.every_s, _sent(rule)) for rule in rules if rule.every_s is not None),
        answers=tuple(
            (matches(rule.when), _answer(rule)) for rule in rules if isinstance(rule.when, dict)
        ),
        texts={
            rule.when_text.encode(): _answer(rule) for rule in rules if rule.when_text is not None
        },
        ignored=tuple(matches(matcher) for matcher in dialect.ignore),
        shortcuts=Shortcuts(dialect),
    )


def _batch(section: Subscribe | None) -> int:
    return section.batch if section else 1


def _request(section: Subscribe | Unsubscribe | None, batch: int) -> CompiledRequest | None:
    if section is None:
        return None
    one_each = "channels" not in names(section.send)
    return CompiledRequest(
        send=section.send,
        batch=1 if one_each else batch,
        ack=_ack(section.ack) if section.ack else None,
    )


def _ack(ack: Ack) -> CompiledAck:
    ids = {path: place[2] for path, value in ack.where.items() if (place := id_place(value))}
    rest: Matcher = {path: value for path, value in ack.where.items() if path not in ids}
    error = ack.error
    return CompiledAck(
        id_of=getter(next(iter(ids))) if ids else None,
        id_type=str if "str" in ids.values() else int,
        fits=matches(rest),
        is_ok=matches(ack.ok),
        accepted=getter(ack.accepted) if ack.accepted else None,
        is_error=matches(error.where) if error else lambda _frame: False,
        code=getter(error.code) if error and error.code else lambda _frame: MISSING,
        message=getter(error.message) if error and error.message else lambda _frame: MISSING,
    )


def id_place(expected: Any) -> re.Match[str] | None:
    """Return the place that a matcher's entry keeps for the request's id, if it does."""
    place = PLACE.fullmatch(expected) if isinstance(expected, str) else None
    return place if place and place[1] == "id" else None


def _sent(rule: Heartbeat) -> Frame:
    if rule.send_text is not None:
        text = rule.send_text.encode()
        return lambda _request: text
    return lambda request: orjson.dumps(fill(rule.send, {"id": request}))


def _answer(rule: Heartbeat) -> Frame | None:
    return None if rule.send is None and rule.send_text is None else _sent(rule)
