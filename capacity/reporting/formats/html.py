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
from capacity.reporting.story import story

MOST_ROWS = 120
MOST_ROWS_BELOW_A_FIGURE = 40


def _visible(value: Any) -> Any:
    """Return what the template shows without control characters; what we drew stays as it is."""
    return value if isinstance(value, Markup) else printable(value)


_ENVIRONMENT = Environment(
    loader=PackageLoader("capacity.reporting"),
    autoescape=True,
    finalize=_visible,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def render(record: RunRecord, plan: CapacityPlan | Excuse, notices: Sequence[str] = ()) -> str:
    """Return the page."""
    template = _ENVIRONMENT.get_template("report.html")
    return template.render(
        story=story(record, plan, notices),
        most_rows=MOST_ROWS,
        most_rows_below_a_figure=MOST_ROWS_BELOW_A_FIGURE,
    )
