"""The channels of one connection and the updates that come of them, without socket and clock."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import orjson

from capacity.workload.dialects.checksum import KeptBook, Verdict, exact_item
from capacity.workload.dialects.compiled import CompiledDialect, Rule, Updates
from capacity.workload.dialects.matching import MISSING
from capacity.workload.dialects.opening import Opening
from capacity.workload.dialects.sequence import Check
from capacity.workload.reception import IGNORED, Kind, Reception, unmatched
from capacity.workload.subscription import Event, State, advance

LIVE = State.LIVE
Payload = bytes | bytearray | memoryview
_NOT_JSON = orjson.JSONDecodeError
_UNKNOWN: Any = object()


class FollowedChannels:
    """State and last number of each channel. What the target sends never raises."""

    __slots__ = (
        "_aliases",
        "_books",
        "_dialect",
        "_numbers",
        "_opening",
        "_states",
        "_waiting",
        "channels",
    )

    def __init__(self, dialect: CompiledDialect, channels: Sequence[str] = ()) -> None:
        self.channels = channels
        """Wire names that the connection is to follow; those its address names, if it does."""
        self._aliases: dict[Any, str] | None = {} if dialect.has_aliases else None
        """Channel by the name that its confirmation handed out."""
        self._dialect = dialect
        self._numbers: dict[str, int | None] = {}
        self._books: dict[str, KeptBook | None] | None = None
        """Of channels with checksums: the copy, or None where none is kept. Few dialects have any."""
        self._states: dict[str, State] = {}
        self._opening = Opening(dialect.steps) if dialect.steps else None
        self._waiting = 0

    @property
    def live(self) -> set[str]:
        """Channels with a confirmed subscription."""
        return {channel for channel, state in self._states.items() if state is State.LIVE}

    @property
    def unconfirmed(self) -> int:
        """Return how many channels the target has to confirm, and neither did nor refused."""
        if not self._waiting or self._dialect.confirm != "ack":
            return 0
        return sum(state is State.REQUESTED for state in self._states.values())

    @property
    def numbers(self) -> Mapping[str, int | None]:
        """Return the last number of each numbering."""
        return self._numbers

    def glance(self, payload: bytes) -> float | None:  # noqa: C901, PLR0911, PLR0912 - the hot path
        """Take note of one update that nothing is missing before, and return when it was published.

        None is no verdict, and nothing was noted: give the message to `receive`. It is parsed all
        the same: nothing is read here that `receive` would read otherwise.
        """
        dialect = self._dialect
        clock = dialect.glance_clock
        if clock is None or payload in dialect.texts:
            return None
        try:
            frame = dialect.parse(payload)
        except _NOT_JSON:
            return None
        kind = type(frame)
        if kind is not dict and kind is not list:
            return None
        for rule in dialect.updates:
            if rule.fits(frame):
                break
        else:
            return None
        if rule.key is None:
            if (
                self._waiting
                or not self.channels
                or (self._opening is not None and self._opening.is_due)
            ):
                return None
            channel = self.channels[0]
        else:
            channel = rule.key(frame)
            if self._aliases is not None:
                channel = self._aliased(channel)
            if type(channel) is not str or self._states.get(channel) is not LIVE:
                return None
        if rule.items is None:
            item = frame
        else:
            item = rule.items(frame)
            if type(item) is list:
                if len(item) != 1:
                    return None
                item = item[0]
            if item is MISSING:
                return None
        published_at_s = clock(frame, item)
        if published_at_s is None:
            return None
        numbering = dialect.rules.get(channel, _UNKNOWN)
        if numbering is _UNKNOWN or not (dialect.has_names or len(self.channels) < 2):
            numbering = self._rule(channel)
        if numbering is None:
            dialect.glances.unnumbered += 1
            return published_at_s
        if numbering.book is not None:
            if self._books is None or self._books.get(channel, _UNKNOWN) is not None:
                return None
            if not numbering.is_numbered:
                dialect.glances.unnumbered += 1
                return published_at_s
        numbered = numbering.numbered
        number, missed, problem = numbering.check(frame, item, self._numbers.get(numbered))
        if missed != 0 or problem is not None:
            return None
        self._numbers[numbered] = number
        return published_at_s

    def _update(self, rule: Updates, frame: Any, payload: Payload) -> Reception:
        if rule.key is None:
            channel = self.channels[0] if self.channels else None
            if self._waiting:
                self._confirm_by_update(self.channels)
        else:
            channel = rule.key(frame)
            if self._aliases is not None:
                channel = self._aliased(channel)
            if type(channel) is not str:
                return unmatched("an update without its channel", payload)
            state = self._states.get(channel)
            if state is not State.LIVE:
                if state is State.ENDED:
                    return self._late(frame, channel)
                if state is None or state is State.REJECTED:
                    if any(fits(frame) for fits in self._dialect.ignored):
                        return IGNORED
                    return unmatched("an update of a channel not subscribed to", payload)
                self._confirm_by_update((channel,))
        update = frame if rule.items is None else rule.items(frame)
        if update is MISSING:
            return unmatched("an update without its content", payload)
        is_list = rule.items is not None and type(update) is list
        items = update if is_list else (update,)
        return self._delivered(frame, items, channel, rule, payload)

    def _aliased(self, name: Any) -> Any:
        """Return the channel that *name* was handed out for, else *name* itself."""
        aliases = self._aliases
        is_name = aliases is not None and (type(name) is int or type(name) is str)
        return aliases.get(name, name) if aliases is not None and is_name else name

    def _alias(self, name: Any, channel: str) -> None:
        """Take *name*, which the target hands out for *channel*, in place of an earlier one."""
        aliases = self._aliases or {}
        self._aliases = {old: other for old, other in aliases.items() if other != channel}
        self._aliases[name] = channel

    def _late(self, frame: Any, channel: str) -> Reception:
        """Ignore an update that comes after the end of its subscription, unless the connection's updates are numbered."""
        rule = self._rule(channel)
        if rule is None or rule.numbered:
            return IGNORED
        return self._checked(rule.check, frame, IGNORED)

    def _numbered(self, frame: Any, reception: Reception) -> Reception:
        """Check the number of a frame that is no update, if the dialect says that it has one."""
        for fits, check in self._dialect.numbered_others:
            if fits(frame):
                return self._checked(check, frame, reception)
        return reception

    def _checked(self, check: Check, frame: Any, reception: Reception) -> Reception:
        """Check the number that a frame which is no update has among those of the connection."""
        number, missed, problem = check(frame, frame, self._numbers.get(""))
        self._numbers[""] = number
        if not missed and problem is None:
            return reception
        return reception._replace(missed=missed or 0, problem=reception.problem or problem)

    def _delivered(
        self,
        frame: Any,
        items: Collection[Any],
        channel: str | None,
        read_by: Updates,
        payload: Payload,
    ) -> Reception:
        """Read the time of an update, or of each in a list of them, and check its number."""
        rule = self._rule(channel)
        clock = self._dialect.clock
        published_at_s: float | None = None
        missed = checked = mismatched = 0
        problem: str | None = None
        book = None if rule is None or rule.book is None else self._book(rule, channel)
        for place, item in enumerate(items):
            if clock is not None:
                published_at_s = clock(frame, item)
            if rule is not None:
                last = self._numbers.get(rule.numbered)
                number, more, trouble = rule.check(frame, item, last)
                self._numbers[rule.numbered] = number
                if book is not None:
                    unfit, wrong = _laid_beside(book, rule, frame, item, (payload, read_by, place))
                    if unfit is not None:
                        mismatched += unfit
                        more = max(more or 0, unfit)
                    trouble = trouble or wrong
                if more is not None:
                    checked += 1
                    missed += more
                problem = problem or trouble
        return Reception(
            Kind.DATA,
            channel,
            published_at_s,
            missed,
            (),
            problem,
            len(items),
            checked,
            mismatched=mismatched,
        )

    def _book(self, rule: Rule, channel: str | None) -> KeptBook | None:
        """Return the copy of the channel's book; None where this subscription keeps none."""
        books = self._books = {} if self._books is None else self._books
        name = channel or ""
        if name not in books:
            assert rule.book is not None
            is_kept = self._dialect.book_share.takes(rule.book.source.share)
            books[name] = KeptBook(rule.book) if is_kept else None
        return books[name]

    def _forget_books(self, channels: Iterable[str]) -> None:
        """Wait for the snapshots that begin new subscriptions."""
        for channel in channels if self._books else ():
            book = self._books.get(channel) if self._books else None
            if book is not None:
                book.forget()

    def _rule(self, channel: str | None) -> Rule | None:
        """Return the numbering to check.

        There is none where each channel has its own but updates do not name their channel.
        """
        if channel is None:
            return None
        rule = self._dialect.rule_of(channel)
        if rule is None or self._dialect.has_names or len(self.channels) < 2:
            return rule
        return rule if rule.source.scope == "connection" else None

    def _confirm_by_update(self, channels: Iterable[str]) -> None:
        if self._dialect.confirm == "first_data":
            requested = [c for c in channels if self._states.get(c) is State.REQUESTED]
            self._advance(requested, Event.CONFIRMED)

    def _advance(self, channels: Iterable[str], event: Event) -> None:
        """Advance all *channels*, or none of them if it is illegal for one."""
        states = self._states
        after = {c: advance(states.get(c, State.IDLE), event) for c in channels}
        for channel, state in after.items():
            self._waiting += _waits(state) - _waits(states.get(channel, State.IDLE))
            states[channel] = state


def _laid_beside(
    book: KeptBook, rule: Rule, frame: Any, item: Any, place: tuple[Payload, Updates, int]
) -> Verdict:
    """Apply an update to its book, and return whether its checksum fits."""
    payload, read_by, number = place
    begins = None if rule.is_snapshot is None else rule.is_snapshot(frame, item)
    return book.take(
        frame, item, lambda: exact_item(bytes(payload), read_by.items, number), is_snapshot=begins
    )


def _waits(state: State) -> bool:
    return state is State.REQUESTED or state is State.LEAVING
