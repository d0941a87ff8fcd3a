"""How frames, and what was made of them, are shown."""

from collections.abc import Iterable

import click

from capacity.domain import units
from capacity.domain.words import printable
from capacity.workload.dialects.encodings.payload import readable
from capacity.workload.drafting.replay import Counts
from capacity.workload.reception import shown

MOST_FRAMES = 40
_SHOWN_LETTERS = 160
_SHOWN_CHANNELS = 12


_WORDS = {
    "data": "with updates",
    "ack": "confirming",
    "rejected": "REFUSING",
    "heartbeat": "heartbeats",
    "ignored": "ignored",
    "unmatched": "NOT UNDERSTOOD",
}


class Frames:
    """Prints the first frames of a conversation; those after them are counted."""

    def __init__(self, most: int = MOST_FRAMES) -> None:
        self._most = most
        self._count = 0

    def show(self, at_s: float | None, payload: bytes, made: str | None) -> None:
        """Print one frame; *made* is what was made of it, None for one of ours, empty where nothing was."""
        self._count += 1
        if self._count > self._most:
            return
        when = "" if at_s is None else f"{at_s:8.3f} s "
        side = ">" if made is None else "<"
        click.echo(f"{when}{side} {printable(shown(readable(payload)), _SHOWN_LETTERS)}")
        if made:
            click.echo(f"{'':{len(when)}}  = {printable(made, _SHOWN_LETTERS)}")

    def close(self) -> None:
        """Say how many frames were not shown."""
        if self._count > self._most:
            more = units.counted(self._count - self._most, "further frame")
            click.echo(f"… {more}, counted below (--frames N shows more)")


def summary(counts: Counts) -> Iterable[str]:
    """Yield what came of the frames, in sentences."""
    theirs = counts.frames - counts.ours
    kinds = ", ".join(
        f"{units.count(number)} {_WORDS[name]}" for name, number in counts.kinds.most_common()
    )
    yield f"{units.counted(theirs, 'frame')} from the server: {kinds or 'nothing'}"
    for channel, number in counts.updates.most_common(_SHOWN_CHANNELS):
        yield f"  {printable(channel) or 'updates without a channel'}: {units.counted(number, 'update')}"
    more = len(counts.updates) - _SHOWN_CHANNELS
    if more > 0:
        yield f"  {units.counted(more, 'further channel')}"
    total = sum(counts.updates.values())
    if total:
        yield (
            f"time of publication read in {units.count(counts.timed)} of {units.counted(total, 'update')}"
            + (
                f"; they came {units.duration(sorted(counts.delays_s)[len(counts.delays_s) // 2])} after it"
                " in the median, by both clocks"
                if counts.delays_s
                else ""
            )
        )
        yield (
            f"number or checksum read in {units.count(counts.numbered)} of"
            f" {units.counted(total, 'update')}; {units.count(counts.missed)} missing"
            + (
                f", {units.count(counts.mismatched)} by a checksum that does not fit"
                if counts.mismatched
                else ""
            )
        )
    for name, problem in counts.problems.items():
        yield f"{units.count(problem.times)} × {name}; the first: {printable(problem.first, _SHOWN_LETTERS)}"
