"""Prometheus' text format 0.0.4 into series: strict, and quick about what nobody asked for.

Format: prometheus.io/docs/instrumenting/exposition_formats. One reader for a handful of metrics of
thousands is no more than this; a line that does not fit the format condemns the page.
"""

import re
from collections.abc import Callable

from capacity.sources.metrics.series import Series

_LINE = re.compile(
    r"([a-zA-Z_:][a-zA-Z0-9_:]*)[ \t]*(?:\{(.*)\})?[ \t]*(?<=[ \t}])(\S+)(?:[ \t]+(-?\d{1,18}))?[ \t]*"
)
_LABEL = re.compile(
    r'[ \t]*([a-zA-Z_][a-zA-Z0-9_]*)[ \t]*=[ \t]*"((?:[^"\\]|\\["\\n])*)"[ \t]*(,|$)'
)
_ESCAPE = re.compile(r"\\(.)")
_SHOWN = 60


def series_in(page: str, is_wanted: Callable[[str], bool], read_at: float) -> list[Series]:
    """Return the series of wanted names; those without a time were read at *read_at*.

    Raises ValueError that says which line is not in the format.
    """
    found: dict[tuple[str, frozenset[tuple[str, str]]], Series] = {}
    for number, line in enumerate(page.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _LINE.fullmatch(line.strip())
        if match is None:
            raise ValueError(f"line {number}: {line[:_SHOWN]!a}")
        name, text, value, milliseconds = match.groups()
        try:
            read = float(value.replace("_", "?"))  # Python's digit groups are none of the format's.
            if not is_wanted(name):
                continue
            labels = _labels(text or "")
        except ValueError:
            raise ValueError(f"line {number}: {line[:_SHOWN]!a}") from None
        key = name, frozenset(labels.items())
        if key in found:
            raise ValueError(f"line {number}: {line[:_SHOWN]!a} is there twice")
        at = read_at if milliseconds is None else int(milliseconds) / 1000
        found[key] = Series(name=name, labels=labels, value=read, at=at)
    return list(found.values())


def _labels(text: str) -> dict[str, str]:
    labels: dict[str, str] = {}
    place = 0
    while place < len(text):
        match = _LABEL.match(text, place)
        if match is None or match[1] in labels:
            raise ValueError(text)
        labels[match[1]] = _ESCAPE.sub(_unescaped, match[2])
        place = match.end()
    return labels


def _unescaped(match: re.Match[str]) -> str:
    return "\n" if match[1] == "n" else match[1]
