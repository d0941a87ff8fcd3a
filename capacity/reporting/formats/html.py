"""A report as one HTML file: no script, nothing loaded, everything shown is escaped.

The page forbids itself to load anything (Content-Security-Policy in its head), so that even a
name that slipped through could do nothing.
"""

from collections.abc import Sequence
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from capacity.domain.plan import CapacityPlan, Excuse
from capacity.domain.run import RunRecord
from capacity.domain.words import printable
from capacity.reporting.document import Section
from capacity.reporting.first_screen.first_screen import first_screen
from capacity.reporting.formats.page_sections import page_sections
from capacity.reporting.story import story

MOST_ROWS = 30
MOST_ROWS_BELOW_A_FIGURE = 30
FOLDED = frozenset(
    {
        "assumptions",
        "sensitivity",
        "latency",
        "opening",
        "polls",
        "steps",
        "no-ceiling",
        "generator",
        "data-quality",
        "events",
        "environment",
        "limits",
        "audit",
    }
)
"""Anchors of what one looks up rather than reads."""


def _visible(value: Any) -> Any:
    """Return what the template shows without control characters; what we drew stays as it is."""
    return value if isinstance(value, Markup) else printable(value)


ENVIRONMENT = Environment(
    loader=PackageLoader("capacity.reporting"),
    autoescape=True,
    finalize=_visible,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def render(
    record: RunRecord,
    plan: CapacityPlan | Excuse,
    notices: Sequence[str] = (),
    more: Sequence[Section] = (),
) -> str:
    """Return the page; *more* sections stand behind the bottlenecks (a comparison)."""
    told = story(record, plan, notices)
    sections = page_sections(record, plan, told.sections, more)
    return ENVIRONMENT.get_template("report.html").render(
        story=told,
        screen=first_screen(record, plan),
        notices=tuple(notices),
        anchors={section.anchor for section in sections},
        open_sections=[each for each in sections if each.anchor not in FOLDED],
        folded_sections=[each for each in sections if each.anchor in FOLDED],
        most_rows=MOST_ROWS,
        most_rows_below_a_figure=MOST_ROWS_BELOW_A_FIGURE,
    )
