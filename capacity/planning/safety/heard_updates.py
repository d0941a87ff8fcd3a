"""
What one connection heard before a run, and whether the dialect understands it: numbers in, findings out.

A rule that fits no frame, or a path that leads nowhere, raises nothing by itself: it counts no
delivery, measures no delay and misses no gap.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from capacity.domain import units
from capacity.domain.answers.finding import Finding, Status
from capacity.domain.words import listed, printable

MOST_AGE_S = 60.0
"""Published and heard further apart than this, a clock or the dialect is wrong."""
WRONG_UNIT_S = 86_400.0
"""No clock is that far off: the unit is wrong."""
MOST_GAPS_RATIO = 0.5
"""A target that leaves out updates this often has no numbers; a wrong rule for them finds gaps everywhere."""
_SHOWN_CHANNELS = 3
_SHOWN_LETTERS = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """The last update of one channel."""

    channel: str
    heard_at: float
    published_at: float | None = None
    number: int | None = None
    """By its sequence."""
    value: str | None = None
    """What stands at the path of the time, as it was sent."""
    fitting_unit: str | None = None
    """The unit by which that would be near now, if there is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """Everything that came once the subscription was confirmed."""

    seconds: float
    frames: int
    unmatched: int
    first_unmatched: str | None
    updates: int
    timed: int
    """Updates with a time of publication."""
    numbered: int
    """Updates with a number by their sequence."""
    latest: tuple[Update, ...]
    silent: tuple[str, ...]
    """Channels without an update."""
    time: tuple[str, str] | None
    """Path and unit, where the dialect has them."""
    sequence: str | None
    """Path of the number, where the dialect checks that of a channel that was heard."""
    hint: str | None = None
    """What would have the first one understood that was not, if its bytes tell."""
    is_checksum: bool = False
    """What stands there is no number but a checksum."""
    mismatched: int = 0
    """Checksums that did not fit the book."""
    missed: int = 0
    """Updates that are missing by their numbers."""
    gaps: int = 0
    """Messages before which some are."""
    ended: tuple[str, str] | None = None
    """How the connection ended while it was listened to, and what to do; None if it did not."""


def heard_findings(heard: Heard) -> Iterator[Finding]:
    """Yield what was heard, then what of the dialect does not fit it."""
    if heard.ended is not None:
        how, remedy = heard.ended
        yield Finding(
            name="connection",
            status=Status.WARNING if heard.updates else Status.FAILURE,
            statement=f"the connection ended {units.duration(heard.seconds)} after it was confirmed: {how}",
            remedy=_capital(remedy),
        )
    if not heard.updates:
        if heard.ended is None or heard.frames:
            yield _without_updates(heard)
        return
    statement = f"{units.counted(heard.updates, 'update')} in {units.duration(heard.seconds)}"
    shown = [_shown(update) for update in heard.latest[:_SHOWN_CHANNELS]]
    if heard.silent:
        names = [printable(name, _SHOWN_LETTERS) for name in heard.silent[:_SHOWN_CHANNELS]]
        more = len(heard.silent) - len(names)
        shown.append(f"none yet of {listed([*names, *([f'{more} more'] if more else [])])}")
    statement = f"{statement}; the last: {'; '.join(shown)}"
    if heard.unmatched:
        yield _warning(
            "updates",
            f"{statement}; {units.count(heard.unmatched)} of {units.counted(heard.frames, 'frame')}"
            f" matched no rule of the dialect, the first: {_first(heard)}",
            _capital(heard.hint)
            or "Add a rule for them to the dialect: data.where if they are updates, else ignore",
        )
    else:
        yield Finding(name="updates", status=Status.OK, statement=statement)
    yield from _about_time(heard)
    if heard.is_checksum or heard.mismatched:
        yield from _about_checksums(heard)
    if heard.sequence is not None and not heard.is_checksum:
        yield from _about_numbers(heard)


def _about_numbers(heard: Heard) -> Iterator[Finding]:
    """Yield what is wrong with numbers: none that is one at all, or some that are left out."""
    path = printable(heard.sequence or "", _SHOWN_LETTERS)
    if not heard.numbered:
        yield _warning(
            "sequence",
            f"{path} holds a whole number in none of"
            f" {units.counted(heard.updates, 'update')}: sequence gaps would go unnoticed",
            "Correct seq of sequence in the dialect, or use rule: none",
        )
    elif heard.missed:
        whose = (
            "so often that rule or scope of sequence in the dialect is wrong, rather than the target"
            if heard.gaps >= MOST_GAPS_RATIO * heard.numbered
            else "the target leaves them out, or rule or scope of sequence in the dialect is wrong"
        )
        yield _warning(
            "sequence",
            f"{units.counted(heard.missed, 'update')} missing by {path}, at"
            f" {units.counted(heard.gaps, 'gap')} in {units.counted(heard.numbered, 'numbered update')}: {whose}",
            "Look at the numbers with `capacity dialect try`, which shows each gap: correct sequence in the dialect"
            " if none is missing there, else look for the updates at the target",
        )


def _about_checksums(heard: Heard) -> Iterator[Finding]:
    """Yield what is wrong with checksums: none that fits at all, or some that do not."""
    if heard.numbered and not heard.mismatched:
        return
    of = units.counted(heard.updates, "update")
    statement = (
        f"{units.count(heard.mismatched)} of {units.count(heard.numbered)} checksums do not fit the book:"
        " the target leaves updates out, or book of sequence in the dialect keeps it wrong"
        if heard.numbered
        else f"{printable(heard.sequence or '', _SHOWN_LETTERS)} fits the book in none of {of}: missing updates"
        " would go unnoticed"
    )
    yield _warning(
        "checksum",
        statement,
        "Correct book of sequence in the dialect: form, price and size, and depth as it is subscribed to;"
        " `capacity dialect try` shows each update",
    )


def _without_updates(heard: Heard) -> Finding:
    within = f"within {units.duration(heard.seconds)} of the confirmed subscription"
    if heard.unmatched:
        return Finding(
            name="updates",
            status=Status.FAILURE,
            statement=(
                f"{units.counted(heard.frames, 'frame')} came {within}, none is an update; the first"
                f" unmatched frame: {_first(heard)}"
            ),
            remedy=_capital(heard.hint)
            or (
                "Correct data.where, data.key and data.items in the dialect by that frame, or the"
                " channels and symbols in the target file; `capacity dialect try` shows all frames"
            ),
        )
    what = f"{units.counted(heard.frames, 'frame')} came" if heard.frames else "no frame came"
    aside = ", none an update" if heard.frames else ""
    return _warning(
        "updates",
        f"{what} {within}{aside}",
        "Check that the target publishes to these channels and symbols: without updates, deliveries"
        " and delay cannot be measured; plateaus must be longer than the pauses between updates",
    )


def _capital(sentence: str | None) -> str | None:
    return sentence[:1].upper() + sentence[1:] if sentence else None


def _about_time(heard: Heard) -> Iterator[Finding]:
    if heard.time is None:
        return
    path, unit = heard.time
    wrong = [
        update
        for update in heard.latest
        if update.published_at is None or abs(update.published_at - update.heard_at) > WRONG_UNIT_S
    ]
    hint = next((update.fitting_unit for update in wrong if update.fitting_unit), None)
    ask = "" if hint is None else f": is unit {hint}?"
    remedy = (
        "Correct time.path and time.unit in the dialect"
        if hint is None
        else f"Set time.unit to {hint} in the dialect"
    )
    if not heard.timed:
        value = next((update.value for update in wrong if update.value), None)
        stands = (
            f"leads to nothing in any of {units.counted(heard.updates, 'update')}"
            if value is None
            else f"leads to {printable(value, _SHOWN_LETTERS)}, which is not a time in {unit}{ask}"
        )
        yield _warning("time of publication", f"time.path {path} {stands}", remedy)
    elif dated := [update for update in wrong if update.published_at is not None]:
        yield _warning("time of publication", f"{_distance(dated[0])}{ask}", remedy)
    elif wrong:
        names = listed([printable(one.channel, _SHOWN_LETTERS) for one in wrong[:_SHOWN_CHANNELS]])
        led = next((update.value for update in wrong if update.value), None)
        told = (
            "nothing"
            if led is None
            else f"{printable(led, _SHOWN_LETTERS)}, no time in {unit}{ask}"
        )
        yield _warning(
            "time of publication",
            f"updates of {names} come without: time.path {path} leads to {told}; their delay is not measured",
            "Where they do say when they were published, put that into time of the dialect, which may be a"
            " list; else nothing is to be done",
        )
    elif far := [update for update in heard.latest if _age_s(update) > MOST_AGE_S]:
        yield _warning(
            "time of publication",
            f"{printable(far[0].channel, _SHOWN_LETTERS)}: {_distance(far[0])}",
            "Check that time.path is the time of publication, and synchronize both clocks (chronyd,"
            " systemd-timesyncd)",
        )


def _shown(update: Update) -> str:
    number = "" if update.number is None else f", number {update.number}"
    distance = "" if update.published_at is None else f" {_distance(update)}"
    name = printable(update.channel, _SHOWN_LETTERS)
    return f"{name}{distance}{number}" if distance or number else f"{name} without time and number"


def _distance(update: Update) -> str:
    assert update.published_at is not None
    ahead_s = update.published_at - update.heard_at
    if abs(ahead_s) > WRONG_UNIT_S:
        return (
            f"published {units.count(abs(ahead_s))} s {'ahead of' if ahead_s > 0 else 'before'} now"
        )
    return f"published {units.duration(abs(ahead_s))} {'ahead of' if ahead_s > 0 else 'before'} now"


def _age_s(update: Update) -> float:
    return 0.0 if update.published_at is None else abs(update.published_at - update.heard_at)


def _first(heard: Heard) -> str:
    return printable(heard.first_unmatched or "", _SHOWN_LETTERS)


def _warning(name: str, statement: str, remedy: str) -> Finding:
    return Finding(name=name, status=Status.WARNING, statement=statement, remedy=remedy)
