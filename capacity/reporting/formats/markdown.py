"""A report as Markdown that fits a comment on a pull request (at most 65,536 characters).

Text from elsewhere is escaped, so that a name can neither format, link nor mention anybody.
"""

import re
from collections.abc import Sequence

from capacity.domain.plan import CapacityPlan, Excuse
from capacity.domain.run import RunRecord
from capacity.domain.words import printable
from capacity.reporting.document import Cell, Section, Table
from capacity.reporting.story import story

MOST_CHARACTERS = 65_536
_MOST_ROWS = 40
_CUT = "_The rest is left out here: see report.html._\n"
_SPECIAL = re.compile(r"([\\`*_\[\]<>|~$&])")
_REFERENCE = re.compile(r"([@#])")
_NOTHING = "\u200b"
"""A space of no width: references are looked for in what is shown, where no escape helps."""


def render(record: RunRecord, plan: CapacityPlan | Excuse, notices: Sequence[str] = ()) -> str:
    """Return the report without its charts; what does not fit is left out from the end."""
    told = story(record, plan, notices)
    blocks = [
        f"# {escaped(told.title)}\n\n{escaped(told.subtitle)}\n",
        f"## {escaped(told.verdict.headline)}\n",
        *(f"{escaped(paragraph)}\n" for paragraph in told.verdict.paragraphs),
        "\n".join(
            f"- **{escaped(fact.label)}:** {_inline(Cell(text=fact.text, note=fact.note))}"
            for fact in told.verdict.facts
        )
        + "\n",
    ]
    if told.missing:
        items = "\n".join(f"- {escaped(item)}" for item in told.missing)
        blocks.append(f"**Missing from this run:**\n\n{items}\n")
    blocks += [block for section in told.sections if (block := _section(section))]
    return _fitting(blocks)


def escaped(text: str) -> str:
    """Return *text* so that Markdown shows it as it is; an @ or a link does nothing."""
    shown = _SPECIAL.sub(r"\\\1", printable(text))
    shown = _REFERENCE.sub(rf"\1{_NOTHING}", shown)
    return shown.replace("://", "&#58;//").replace("www.", "www&#46;")


def _fitting(blocks: list[str]) -> str:
    whole = "\n".join(blocks)
    while len(whole) > MOST_CHARACTERS:
        blocks = [*blocks[:-2], _CUT] if blocks[-1] == _CUT else [*blocks[:-1], _CUT]
        whole = "\n".join(blocks)
    return whole


def _section(section: Section) -> str:
    """Return the section; nothing when all it has is charts."""
    if not section.paragraphs and section.table is None:
        return ""
    parts = [f"## {escaped(section.heading)}\n"]
    parts += [f"{escaped(paragraph)}\n" for paragraph in section.paragraphs]
    if section.table is not None:
        parts.append("\n".join(table_lines(section.table)) + "\n")
    return "\n".join(parts)


def table_lines(table: Table) -> list[str]:
    """Return the table line by line, cut where it grows long."""
    rules = ("--:" if index in table.numeric else "---" for index in range(len(table.columns)))
    lines = [
        "| " + " | ".join(escaped(column) for column in table.columns) + " |",
        "| " + " | ".join(rules) + " |",
    ]
    lines += ["| " + " | ".join(map(_inline, row)) + " |" for row in table.rows[:_MOST_ROWS]]
    more = len(table.rows) - _MOST_ROWS
    if more > 0:
        lines += ["", f"_{more} more rows: see report.html._"]
    return lines


def _inline(cell: Cell) -> str:
    return escaped(cell.text) + (f" ({escaped(cell.note)})" if cell.note else "")
