"""Prometheus' text format 0.0.4 into series: strict about what is asked for, lenient about the rest.

Format: prometheus.io/docs/instrumenting/exposition_formats. Pages also hold what is newer: names of any
characters in quotes (Prometheus 3), exemplars and times in seconds (OpenMetrics, RFC draft
"draft-richih-opsawg-openmetrics"). A line about another metric that cannot be read is left out and counted.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from capacity.sources.metrics.series import Series

_LINE = re.compile(
    r"([a-zA-Z_:][a-zA-Z0-9_:]*)[ \t]*(?:\{(.*)\})?[ \t]*(?<=[ \t}])(\S+)(?:[ \t]+(\S+))?[ \t]*"
)
_LABEL = re.compile(
    r'[ \t]*(?:([a-zA-Z_][a-zA-Z0-9_]*)|"((?:[^"\\]|\\["\\n])+)")[ \t]*='
    r'[ \t]*"((?:[^"\\]|\\["\\n])*)"[ \t]*(,|$)'
)
"""Its name stands in quotes where it has other characters, as of Prometheus 3."""
_QUOTED_NAME = re.compile(r'\s*\{[ \t]*"((?:[^"\\]|\\["\\n])*)"[ \t]*(,|(?=\}))')
"""A metric whose name stands among its labels, as of Prometheus 3."""
_NAME = re.compile(r"\s*([a-zA-Z_:][a-zA-Z0-9_:]*)")
_EXEMPLAR = re.compile(r'((?:[^"#]|"(?:[^"\\]|\\.)*")*)[ \t]#[ \t]+\{.*')
"""Behind a value; in a label the same characters are text."""
_TIME = re.compile(r"-?\d{1,18}(\.\d{1,9})?")
_SINCE_1973 = (1e8, 1e11)
"""As seconds since 1970 that is 1973 to 5138, as milliseconds a time before the second month of 1970 and up to
1973: what lies between them is in seconds."""
_ESCAPE = re.compile(r"\\(.)")
_SHOWN = 60


class UnreadableMetricError(ValueError):
    """A metric that is wanted is not in the format; the message names its line."""


@dataclass(slots=True)
class Page:
    """What a page of metrics holds of those that are wanted, and what of it was not understood."""

    series: list[Series] = field(default_factory=list)
    left_out: int = 0
    """Lines about other metrics that are not in the format."""
    first_left_out: str | None = None


def page_of(text: str, is_wanted: Callable[[str], bool], read_at: float) -> Page:
    """Return the series of wanted names; those without a time were read at *read_at*.

    Raises UnreadableMetricError where a wanted metric is not in the format, ValueError where more
    lines are not than are, that is no page of metrics; both name the line.
    """
    page, found, understood = Page(), set[tuple[str, frozenset[tuple[str, str]]]](), 0
    # The format ends lines by a line feed alone: labels may hold whatever else ends lines elsewhere.
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        where = f"line {number}: {line[:_SHOWN]!a}"
        try:
            each = _read(line, is_wanted, read_at)
        except ValueError:
            if is_wanted(_name_of(line)):
                raise UnreadableMetricError(where) from None
            page.left_out += 1
            page.first_left_out = page.first_left_out or where
            continue
        understood += 1
        if each is None:
            continue
        key = each.name, frozenset(each.labels.items())
        if key in found:
            raise UnreadableMetricError(f"{where} is there twice")
        found.add(key)
        page.series.append(each)
    if page.left_out > understood:
        raise ValueError(page.first_left_out)
    return page


def _read(line: str, is_wanted: Callable[[str], bool], read_at: float) -> Series | None:
    """Return the series of one line, None where nobody asked for it. Raises ValueError, also for
    bytes that were no UTF-8, which stand there as surrogates.
    """
    line.encode()
    quoted = _QUOTED_NAME.match(line)
    if quoted is not None and not is_wanted(quoted[1]):
        return None
    whole = _unquoted(line.strip())
    exemplar = _EXEMPLAR.fullmatch(whole)
    match = _LINE.fullmatch(whole if exemplar is None else exemplar[1])
    if match is None:
        raise ValueError(line)
    name, text, value, time = match.groups()
    read = float(value.replace("_", "?"))  # Python's digit groups are none of the format's.
    if time is not None and _TIME.fullmatch(time) is None:
        raise ValueError(line)
    if not is_wanted(name):
        return None
    return Series(
        name=name,
        labels=_labels(text or ""),
        value=read,
        at=read_at if time is None else _seconds(time),
    )


def _unquoted(line: str) -> str:
    """Return a line whose name stands in quotes among its labels as if it stood before them."""
    match = _QUOTED_NAME.match(line)
    return line if match is None else f"{match[1]}{{{line[match.end() :]}"


def _name_of(line: str) -> str:
    match = _NAME.match(_unquoted(line))
    return "" if match is None else match[1]


def _seconds(time: str) -> float:
    moment = float(time)
    is_in_seconds = "." in time or _SINCE_1973[0] <= moment < _SINCE_1973[1]
    return moment if is_in_seconds else moment / 1000


def _labels(text: str) -> dict[str, str]:
    labels: dict[str, str] = {}
    place = 0
    while place < len(text):
        match = _LABEL.match(text, place)
        if match is None:
            raise ValueError(text)
        name = match[1] or _ESCAPE.sub(_unescaped, match[2])
        if name in labels:
            raise ValueError(text)
        labels[name] = _ESCAPE.sub(_unescaped, match[3])
        place = match.end()
    return labels


def _unescaped(match: re.Match[str]) -> str:
    return "\n" if match[1] == "n" else match[1]
