"""JSON from outside, of whoever may be broken or hostile: numbers are numbers, or they are told apart.

Python's reader takes NaN and Infinity, makes 1e999 infinite and stumbles over 5,000 digits. Each of
them passes comparisons that it should not pass, or cannot be written down again.
"""

import json
import math
from dataclasses import dataclass
from typing import Any

MOST = 1e21
"""Beyond every counter of 64 bits, and beyond a thousand of them added up."""
_MOST_DIGITS = 40
_SHOWN = 20


@dataclass(frozen=True, slots=True)
class NoNumber:
    """What stands in the place of a number and is none, or is out of all range."""

    text: str

    def __str__(self) -> str:
        return self.text if len(self.text) <= _SHOWN else f"{self.text[:_SHOWN]}…"


def is_number(value: object) -> bool:
    """Tell whether *value* can be reckoned with: an int or float, finite and within MOST."""
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and math.isfinite(value)
        and abs(value) <= MOST
    )


def lenient_json(text: bytes | str) -> Any:
    """Return what *text* says, with a NoNumber where a number is none. Raises ValueError."""
    return _parsed(text, NoNumber)


def strict_json(text: bytes | str) -> Any:
    """Return what *text* says. Raises ValueError, also where a number is none."""
    return _parsed(text, _refused)


def _parsed(text: bytes | str, instead: Any) -> Any:
    def whole(digits: str) -> Any:
        return number(int(digits), digits) if len(digits) <= _MOST_DIGITS else instead(digits)

    def number(value: float, said: str) -> Any:
        return value if is_number(value) else instead(said)

    try:
        return json.loads(
            text,
            parse_constant=instead,
            parse_float=lambda said: number(float(said), said),
            parse_int=whole,
        )
    except RecursionError:
        raise ValueError("nested too deep") from None


def _refused(said: str) -> Any:
    raise ValueError(f"{NoNumber(said)} is no number to reckon with")
