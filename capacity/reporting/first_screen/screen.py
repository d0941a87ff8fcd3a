"""What the first screen consists of, before it is HTML: two panels, the headroom chart, four cards."""

from dataclasses import dataclass

from capacity.reporting.document import Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    label: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    heading: str
    big: str
    beside: str = ""
    """Smaller, beside the big one."""
    svg: str = ""
    lines: tuple[Line, ...] = ()
    do: str = ""
    """What to do, in its own box."""
    after: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    heading: str
    big: str
    text: str
    link: str = ""
    """Anchor of the section that says more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstScreen:
    standing: Standing
    badge: str
    about: str
    """Run, date, profile, duration, tested range."""
    answer: Panel
    bottleneck: Panel
    chart: str
    chart_heading: str
    chart_note: str
    cards: tuple[Card, ...]
