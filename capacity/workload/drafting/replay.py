"""A dialect over a recording: what it would have made of each frame, without a target.

The recorded client had its own request ids. Answers are readdressed to ours, so that what they
confirm can be told; which channels were asked for is read from the recorded requests where they are
there, else from the updates.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import orjson

from capacity.workload.conversation import Conversation
from capacity.workload.dialects.answers import id_place
from capacity.workload.dialects.channel_requests import PART, Channel
from capacity.workload.dialects.compiled import CompiledDialect, compile_dialect
from capacity.workload.dialects.dialect import Dialect
from capacity.workload.dialects.matching import MISSING, getter
from capacity.workload.dialects.template import PLACE, fill, names
from capacity.workload.drafting.recorded_session import Frame
from capacity.workload.drafting.understood import class_of
from capacity.workload.drafting.unify import unified
from capacity.workload.reception import Kind, Reception

_FIRST_ID = 1 << 60
"""No recorded client is thought to have such ids."""
_ANY: Mapping[str, Any] = {"connection": 0, "now_s": 0, "now_ms": 0, "now_us": 0, "nonce": ""}


class Problem(NamedTuple):
    times: int
    first: str


@dataclass(slots=True)
class Counts:
    """What came of the frames of a recording."""

    frames: int = 0
    ours: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    updates: Counter[str] = field(default_factory=Counter)
    """Updates by channel."""
    missed: int = 0
    mismatched: int = 0
    """Of them, those that a checksum told which does not fit."""
    timed: int = 0
    numbered: int = 0
    problems: dict[str, Problem] = field(default_factory=dict)
    """Class of what is wrong -> how often, and how the first such frame begins."""
    delays_s: list[float] = field(default_factory=list)

    def note(self, reception: Reception, at_s: float | None) -> None:
        self.kinds[reception.kind.name.lower()] += 1
        self.missed += reception.missed
        if reception.kind is Kind.DATA:
            self.updates[reception.channel or ""] += reception.updates
            self.mismatched += reception.mismatched
            self.numbered += reception.numbered
            if reception.published_at_s is not None:
                self.timed += reception.updates
                if at_s is not None:
                    self.delays_s.append(at_s - reception.published_at_s)
        if reception.problem is not None:
            name, first = class_of(reception)
            known = self.problems.setdefault(name, Problem(0, first))
            self.problems[name] = Problem(known.times + 1, known.first)


class Replay:
    """One recording, heard by one conversation."""

    def __init__(self, dialect: Dialect, frames: Sequence[Frame]) -> None:
        self._frames = frames
        values = dict.fromkeys(dialect.needs, "0") | dict(_ANY)
        groups = _asked(dialect, frames)
        self._ids = _ids(dialect, frames)
        if not groups:
            groups = [_named(compile_dialect(dialect), frames)]
            dialect = _one_sided(dialect)
        self._compiled = compile_dialect(dialect)
        self._compiled.book_share.is_whole = True
        self._names = tuple(dict.fromkeys(name for group in groups for name in group))
        self._due = list(groups[1:])
        self._talk = Conversation(self._compiled, groups[0], lambda: values, first_id=_FIRST_ID)
        self.counts = Counts()

    def run(self) -> Iterator[tuple[Frame, tuple[Reception, ...]]]:
        """Yield each frame with what the dialect makes of it; nothing of what was sent by the client."""
        self._talk.start()
        self._ask_more()
        for frame in self._frames:
            self.counts.frames += 1
            if frame.is_ours:
                self.counts.ours += 1
                yield frame, ()
                continue
            receptions: list[Reception] = []
            for message in self._talk.messages((frame.payload,)):
                self._readdress(message)
                receptions += self._talk.receive_all(message)
                self._ask_more()
            for reception in receptions:
                self.counts.note(reception, frame.at_s)
            yield frame, tuple(receptions)

    def _ask_more(self) -> None:
        """Subscribe to what the recorded client asked for in further requests."""
        if self._talk.is_opening:
            return
        while self._due:
            new = [name for name in self._due.pop(0) if self._talk.may_subscribe(name)]
            self._talk.subscribe(new)
        self._talk.channels = self._names

    def _readdress(self, message: bytes) -> None:
        try:
            tree = self._compiled.parse(message)
        except orjson.JSONDecodeError:
            return
        self._talk.readdress(tree, self._ids)


def _one_sided(dialect: Dialect) -> Dialect:
    """Return *dialect* for a recording without its client: answers confirm nothing."""
    subscribe = dialect.subscribe
    if subscribe is None:
        return dialect
    ignore = dialect.ignore
    if subscribe.ack is not None:
        where = {key: value for key, value in subscribe.ack.where.items() if not id_place(value)}
        ids = {key: {"exists": True} for key in subscribe.ack.where if key not in where}
        ignore = (*ignore, {**where, **ids})
    return replace(
        dialect, opening=(), ignore=ignore, subscribe=replace(subscribe, ack=None, confirm="none")
    )


def _asked(dialect: Dialect, frames: Sequence[Frame]) -> list[list[str]]:
    """Return the channels that the recorded client asked for, request by request."""
    if dialect.subscribe is None:
        return []
    groups: list[list[str]] = []
    for frame in frames:
        if not frame.is_ours:
            continue
        sent = _sent(frame.payload)
        found: dict[str, Any] = {}
        if _has_parts(dialect.subscribe.send):
            groups.append(_names_by_parts(dialect, dialect.subscribe.send, sent))
        elif unified(dialect.subscribe.send, sent, found):
            asked = found.get("channels", [found.get("channel")])
            each = asked if type(asked) is list else [asked]
            groups.append(
                list(dict.fromkeys(name for one in each for name in _names_of(dialect, one)))
            )
    return [group for group in groups if group]


def _has_parts(send: Any) -> bool:
    return any(name.startswith(PART) for name in names(send))


def _names_by_parts(dialect: Dialect, send: Any, sent: Any) -> list[str]:
    """Return the wire names of the channel that *sent* asks for by its parts."""
    for channel in dialect.channels.values():
        found: dict[str, Any] = {}
        if unified(_with_parts(send, channel), sent, found):
            symbols = found.get("symbol", "")
            symbols = symbols if type(symbols) is list else [symbols]
            return [str(fill(channel.wire, {"symbol": symbol})) for symbol in symbols]
    return []


def _with_parts(tree: Any, channel: Channel) -> Any:
    """Return the template *tree* with the channel's parts in it, whose own places stay."""
    if isinstance(tree, Mapping):
        filled = {key: _with_parts(value, channel) for key, value in tree.items()}
        return {key: value for key, value in filled.items() if value is not MISSING}
    if isinstance(tree, list | tuple):
        return [_with_parts(value, channel) for value in tree]
    place = PLACE.fullmatch(tree) if isinstance(tree, str) else None
    if place is None or not place["name"].startswith(PART):
        return tree
    return getter(place["name"].removeprefix(PART))(channel.request)


def _ids(dialect: Dialect, frames: Sequence[Frame]) -> set[Any]:
    """Return the ids of the recorded client's requests whose answers the dialect knows."""
    templates = [step.send for step in dialect.opening]
    for one in (dialect.subscribe, dialect.unsubscribe):
        if one is not None and _has_parts(one.send):
            templates += [_with_parts(one.send, channel) for channel in dialect.channels.values()]
        elif one is not None:
            templates.append(one.send)
    ids: set[Any] = set()
    for frame in frames:
        for template in templates if frame.is_ours else ():
            found: dict[str, Any] = {}
            if unified(template, _sent(frame.payload), found) and type(found.get("id")) in {
                int,
                str,
            }:
                ids.add(found["id"])
    return ids


def _sent(payload: bytes) -> Any:
    try:
        return orjson.loads(payload)
    except orjson.JSONDecodeError:
        return payload.decode(errors="backslashreplace")


def _names_of(dialect: Dialect, asked: Any) -> list[str]:
    """Return the wire names of what stands for a channel, or for several, in a request."""
    for channel in dialect.channels.values():
        found: dict[str, Any] = {}
        if channel.request is not None and unified(channel.request, asked, found):
            symbols = found.get("symbol", "")
            symbols = symbols if type(symbols) is list else [symbols]
            return [str(fill(channel.wire, {"symbol": symbol})) for symbol in symbols]
    return [asked] if type(asked) is str else []


def _named(compiled: CompiledDialect, frames: Sequence[Frame]) -> list[str]:
    """Return the channels that updates name."""
    names: dict[str, None] = {}
    envelope = compiled.envelope
    for frame in frames:
        if frame.is_ours:
            continue
        for message in (frame.payload,) if envelope is None else envelope.messages(frame.payload):
            try:
                tree = compiled.parse(message)
            except orjson.JSONDecodeError:
                continue
            for entry in (tree,) if compiled.entries is None else compiled.entries(tree):
                for rule in compiled.updates:
                    if rule.fits(entry):
                        name = None if rule.key is None else rule.key(entry)
                        if type(name) is str:
                            names[name] = None
                        break
    return list(names) or [next(iter(compiled.source.channels.values())).wire]
