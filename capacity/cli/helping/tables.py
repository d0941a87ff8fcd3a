"""Prints facts, and a section's table so that it fits the console, and no word of it is cut into pieces.

Where it does not fit, notes are left out first, the longest one first, then the columns that the caller can
do without. What does not fit even so is printed as psql prints what is too wide: a line for each value.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from math import ceil
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from capacity.domain.words import LONGEST_SENTENCE, printable
from capacity.reporting.document import Cell, Row, Section
from capacity.reporting.document import Table as Rows

_LONGEST_WORD = 48
"""In columns: what is longer (a path, an address) may be cut."""
_NOTE_LINES = 4
"""A note that would take more lines is not worth a place beside figures."""
_FRAME = 3
"""Columns of the console that the frame takes for each column of the table."""

_Styles = Mapping[Any, str]
"""The console's style for a text of the first column."""
_PLAIN: _Styles = {}


def print_table(
    section: Section,
    console: Console,
    *,
    columns: Sequence[int] | None = None,
    optional: Sequence[int] = (),
    styles: _Styles = _PLAIN,
) -> None:
    """Print those *columns* of the section's table, by default all; nothing where it has none.

    Of *optional* columns the first goes first where the console is too narrow.
    """
    if section.table is None:
        return
    chosen = tuple(range(len(section.table.columns)) if columns is None else columns)
    rows = _only(section.table, chosen)
    spare = [chosen.index(index) for index in optional if index in chosen]
    fitting = _fitting(rows, spare, console.width)
    if fitting is None:
        _print_records(section.heading, rows, console, styles)
    else:
        console.print(_drawn(section.heading, fitting, console.width, styles))


def print_facts(facts: Iterable[tuple[str, str]], console: Console) -> None:
    """Print a line for each label and its text."""
    table = _facts_table()
    for label, text in facts:
        table.add_row(Text(label), Text(printable(text, LONGEST_SENTENCE)))
    console.print(table)


def _facts_table() -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, style="dim")
    table.add_column(overflow="fold")
    return table


def _only(rows: Rows, columns: Sequence[int]) -> Rows:
    return Rows(
        columns=tuple(rows.columns[index] for index in columns),
        rows=tuple(tuple(row[index] for index in columns) for row in rows.rows),
        numeric=frozenset(at for at, index in enumerate(columns) if index in rows.numeric),
    )


def _fitting(rows: Rows, spare: Sequence[int], width: int) -> Rows | None:
    """Return the table with as much of it as fits; None where it does not fit at all."""
    while sum(least := _least_widths(rows)) > _room(rows, width):
        bare = _least_widths(_without_notes(rows, range(len(rows.columns))))
        wins = [wide - slim for wide, slim in zip(least, bare, strict=True)]
        if any(wins):
            rows = _without_notes(rows, [wins.index(max(wins))])
        elif spare:
            kept = [index for index in range(len(rows.columns)) if index != spare[0]]
            rows = _only(rows, kept)
            spare = [kept.index(index) for index in spare[1:]]
        else:
            return None
    return rows


def _room(rows: Rows, width: int) -> int:
    """Return the columns of a console of *width* that are left for text."""
    return width - _FRAME * len(rows.columns) - 1


def _without_notes(rows: Rows, columns: Sequence[int]) -> Rows:
    def bare(row: Row) -> Row:
        return tuple(
            replace(cell, note="") if at in columns else cell for at, cell in enumerate(row)
        )

    return replace(rows, rows=tuple(bare(row) for row in rows.rows))


def _least_widths(rows: Rows) -> list[int]:
    """Return of each column how wide it has to be."""
    return [
        max(_longest_word(heading), *(_least_width(row[at]) for row in rows.rows), 0)
        for at, heading in enumerate(rows.columns)
    ]


def _least_width(cell: Cell) -> int:
    return max(
        _longest_word(cell.text), _longest_word(cell.note), ceil(len(cell.note) / _NOTE_LINES)
    )


def _longest_word(text: str) -> int:
    return min(max(map(len, text.split()), default=0), _LONGEST_WORD)


def _drawn(heading: str, rows: Rows, width: int, styles: _Styles) -> Table:
    table = Table(title=heading, title_justify="left")
    for at, (column, wide) in enumerate(zip(rows.columns, _widths(rows, width), strict=True)):
        table.add_column(
            column,
            justify="right" if at in rows.numeric else "left",
            overflow="fold",
            width=wide,
        )
    for row in rows.rows:
        table.add_row(*(_text(cell, styles if not at else _PLAIN) for at, cell in enumerate(row)))
    return table


def _widths(rows: Rows, width: int) -> list[int]:
    """Return the columns' widths: what each needs, and of what is left an equal share, as far as it is of use.

    So dates and numbers stay in a line, and what is long anyway gives way.
    """
    widths = _least_widths(rows)
    spare = _room(rows, width) - sum(widths)
    most = [
        max(len(heading), *(max(len(row[at].text), len(row[at].note)) for row in rows.rows), 0)
        for at, heading in enumerate(rows.columns)
    ]
    wishes = sorted((wide - widths[at], at) for at, wide in enumerate(most))
    for count, (wish, at) in zip(range(len(wishes), 0, -1), wishes, strict=True):
        given = min(max(wish, 0), spare // count)
        widths[at] += given
        spare -= given
    return widths


def _print_records(heading: str, rows: Rows, console: Console, styles: _Styles) -> None:
    console.print(Text(printable(heading), style="italic"))
    for row in rows.rows:
        record = _facts_table()
        for at, (column, cell) in enumerate(zip(rows.columns, row, strict=True)):
            if cell.text or cell.note:
                record.add_row(Text(column), _text(cell, styles if not at else _PLAIN))
        console.print(record)
        console.print()


def _text(cell: Cell, styles: _Styles) -> Text:
    text = Text(printable(cell.text, LONGEST_SENTENCE), style=styles.get(cell.text, ""))
    return text.append(f"\n{printable(cell.note)}", style="dim") if cell.note else text
