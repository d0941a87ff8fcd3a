"""
From the text of a rule to a condition: `figure operator bound`, and nothing else.

    headroom >= 30 %
    cost.memory_per_connection <= 12 KiB
    bottleneck not in [unknown, event_loop]
    audit.changed == none

A bound has the unit of its figure; what counts has none. Nothing is evaluated: a text is taken apart
by one pattern, names and units are looked up.
"""

import re
from collections.abc import Collection
from difflib import get_close_matches

from capacity.domain.answers.rules import Condition, Dimension
from capacity.domain.caveats import DoubtKind
from capacity.domain.errors import ConfigError
from capacity.domain.resources import Resource
from capacity.domain.words import printable
from capacity.planning.rules.names import DIMENSIONS

MOST_CHARACTERS = 500
UNKNOWN = "unknown"
"""The bottleneck that a run met without seeing what gave out."""
_ORDER = (">=", "<=", ">", "<", "==", "!=")
_PATTERN = re.compile(r"\s*(\S+?)\s*(>=|<=|==|!=|>|<|\bnot\s+in\b|\bin\b)\s*(.*?)\s*")
_NUMBER = re.compile(r"([0-9][0-9,_]*(?:\.[0-9]+)?)\s*(\S*)")
_UNITS: dict[Dimension, dict[str, float]] = {
    Dimension.COUNT: {"": 1.0, "connections": 1.0},
    Dimension.RATIO: {"%": 0.01, "": 1.0},
    Dimension.BYTES: {
        "bytes": 1.0, "B": 1.0, "KiB": 1024.0, "MiB": 1024.0**2, "GiB": 1024.0**3,
        "TiB": 1024.0**4, "kB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12,
    },
    Dimension.BYTES_PER_S: {
        "bytes/s": 1.0, "B/s": 1.0, "KiB/s": 1024.0, "MiB/s": 1024.0**2, "GiB/s": 1024.0**3,
        "kB/s": 1e3, "MB/s": 1e6, "GB/s": 1e9,
    },
    Dimension.SECONDS: {"s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "min": 60.0},
    Dimension.CORES: {"cores": 1.0, "core": 1.0, "millicores": 1e-3, "m": 1e-3, "microcores": 1e-6},
}  # fmt: skip


def condition(text: str) -> Condition:
    """Return what *text* asks. Raises ConfigError with what is wrong and what is allowed."""
    if len(text) > MOST_CHARACTERS:
        raise ConfigError(f"longer than {MOST_CHARACTERS} characters; write several rules")
    found = _PATTERN.fullmatch(text)
    if found is None:
        raise ConfigError(
            "must be a figure, an operator and a bound, such as headroom >= 30 %"
            f" (got {printable(text, 80)!r}); operators: {', '.join(_ORDER)}, in, not in"
        )
    figure, operator, bound = found[1], " ".join(found[2].split()), found[3]
    dimension = DIMENSIONS.get(figure)
    if dimension is None:
        raise ConfigError(f"unknown figure {printable(figure, 80)!r}; {_hint(figure, DIMENSIONS)}")
    if dimension is Dimension.NAMES:
        value: float | frozenset[str] = _names(figure, operator, bound)
    else:
        value = _number(figure, dimension, operator, bound)
    return Condition(
        text=text.strip(), figure=figure, operator=operator, bound=value, dimension=dimension
    )


def _number(figure: str, dimension: Dimension, operator: str, bound: str) -> float:
    if operator not in _ORDER:
        raise ConfigError(
            f"{figure} is a number: compare it with {', '.join(_ORDER)} (got {operator})"
        )
    found = _NUMBER.fullmatch(bound)
    if found is None:
        raise ConfigError(f"{figure} needs a number (got {printable(bound, 80)!r})")
    known = _UNITS[dimension]
    unit = found[2]
    if unit not in known:
        wanted = ", ".join(filter(None, known)) or "no unit"
        by_case = {each.lower(): each for each in known if each}
        close = get_close_matches(unit.lower(), by_case)
        hint = f"; did you mean {by_case[close[0]]}?" if close else ""
        raise ConfigError(f"{figure} is given in {wanted}{hint} (got {printable(bound, 80)!r})")
    return float(found[1].replace(",", "").replace("_", "")) * known[unit]


def _names(figure: str, operator: str, bound: str) -> frozenset[str]:
    if operator in {"in", "not in"}:
        if not (bound.startswith("[") and bound.endswith("]")):
            raise ConfigError(
                f"{operator} needs a list, such as [unknown] (got {printable(bound, 80)!r})"
            )
        names = [name.strip() for name in bound[1:-1].split(",") if name.strip()]
        if not names:
            raise ConfigError(f"{operator} needs at least one name (got [])")
    elif operator in {"==", "!="}:
        names = [] if bound == "none" else [bound]
    else:
        raise ConfigError(
            f"{figure} is a name: compare it with ==, !=, in, not in (got {operator})"
        )
    allowed = _allowed(figure)
    for name in names:
        if allowed is not None and name not in allowed:
            raise ConfigError(f"{figure} is never {printable(name, 80)!r}; {_hint(name, allowed)}")
    return frozenset(names)


def _allowed(figure: str) -> set[str] | None:
    resources = {resource.value for resource in Resource if resource is not Resource.UNIDENTIFIED}
    match figure:
        case "bottleneck":
            return {*resources, UNKNOWN}
        case "audit.changed":
            return resources
        case "caveats":
            return {kind.value for kind in DoubtKind}
        case _:
            return None  # Regressions are figures and limits.


def _hint(name: str, known: Collection[str]) -> str:
    close = get_close_matches(name, known)
    if close:
        return f"did you mean {close[0]}?"
    return f"known: {', '.join(sorted(known)[:12])}, …; config/README.md lists them"
