"""Text and JSON from outside, of whoever may be broken or hostile: numbers are numbers, or told apart.

Python's reader takes NaN and Infinity, makes 1e999 infinite and stumbles over 5,000 digits. Each of
them passes comparisons that it should not pass, or cannot be written down again.
"""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from capacity.domain.errors import ConfigError

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


def _decoder(instead: Callable[[str], Any]) -> json.JSONDecoder:
    def whole(digits: str) -> Any:
        if len(digits) > _MOST_DIGITS or not -MOST <= (value := int(digits)) <= MOST:
            return instead(digits)
        return value

    def number(said: str) -> Any:
        return value if -MOST <= (value := float(said)) <= MOST else instead(said)

    return json.JSONDecoder(parse_constant=instead, parse_float=number, parse_int=whole)


def _refused(said: str) -> Any:
    raise ValueError(f"{NoNumber(said)} is no number to reckon with")


_LENIENT, _STRICT = _decoder(NoNumber), _decoder(_refused)


def utf8_text(content: bytes, place: str, remedy: str = "") -> str:
    """Return the text of a file at *place*. Raises ConfigError with the line that is none."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{place}:{line}: not UTF-8 text{remedy}") from None


def lenient_json(text: bytes | str) -> Any:
    """Return what *text* says, with a NoNumber where a number is none. Raises ValueError."""
    return _parsed(text, _LENIENT)


def strict_json(text: bytes | str) -> Any:
    """Return what *text* says. Raises ValueError, also where a number is none."""
    return _parsed(text, _STRICT)


def _parsed(text: bytes | str, decoder: json.JSONDecoder) -> Any:
    if isinstance(text, bytes):
        text = text.decode(json.detect_encoding(text), "surrogatepass")
    try:
        return decoder.decode(text)
    except RecursionError:
        raise ValueError("nested too deep") from None
