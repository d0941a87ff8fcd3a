"""What a report consists of, before it is HTML or Markdown: plain text in a few shapes.

Texts are not escaped yet: each exporter escapes for its own format.
"""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    text: str
    note: str = ""
    """What belongs to the text but may stand smaller."""


Row = tuple[Cell, ...]


def cells(*texts: str) -> Row:
    return tuple(Cell(text=text) for text in texts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    numeric: frozenset[int] = frozenset()
    """Indices of the columns whose numbers are to stand below each other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    caption: str
    svg: str
    table: Table | None
    """The same numbers to read, where no other table of the report has them."""
    legend: str = ""
    """What its marks mean, as HTML."""
    proof: tuple["Section", ...] = ()
    """Where its number comes from: limit, readings, fit, arithmetic."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    anchor: str
    heading: str
    paragraphs: tuple[str, ...] = ()
    table: Table | None = None
    figures: tuple[Figure, ...] = ()
    items: tuple[str, ...] = ()
    """What is to be done, one thing after the other; only a page shows them as a list."""
    proof: tuple["Section", ...] = ()
    """Where its numbers come from; only a page shows it, folded."""


class Standing(StrEnum):
    """How far the verdict may be believed, as a word."""

    SOUND = "good confidence"
    DOUBTFUL = "reduced confidence"
    REFUTED = "invalid"
    NONE = "inconclusive"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    label: str
    text: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The first screen: the answer, or why there is none."""

    standing: Standing
    headline: str
    paragraphs: tuple[str, ...]
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    run: str
    title: str
    subtitle: str
    verdict: Verdict
    missing: tuple[str, ...]
    """What a finished run would also have."""
    sections: tuple[Section, ...]
