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


def heard_findings(heard: Heard) -> Iterator[Finding]:
    """Yield what was heard, then what of the dialect does not fit it."""
    if not heard.updates:
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
    if heard.sequence is not None and not heard.numbered:
        yield _warning(
            "sequence",
            f"{printable(heard.sequence, _SHOWN_LETTERS)} holds a whole number in none of"
            f" {units.counted(heard.updates, 'update')}: sequence gaps would go unnoticed",
            "Correct seq of sequence in the dialect, or use rule: none",
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
    elif wrong:
        yield _warning("time of publication", f"{_distance(wrong[0])}{ask}", remedy)
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
