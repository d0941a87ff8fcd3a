"""A setting as it stands in one place, and the numbers that it may be.

What is no plain number is unclear (a template, a variable, an expression) and is never shown: it
may be anything.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

_SCALED = re.compile(r"(\d{1,18})\s*([a-zA-Z]{0,3})", re.ASCII)


class UnclearError(ValueError):
    """A setting is there, and what it says cannot be told."""

    def __init__(self, why: str, where: str) -> None:
        super().__init__(why)
        self.where = where


class Setting(NamedTuple):
    """One setting: a name, the text behind it, and file and line."""

    name: str
    text: str
    where: str

    def number(self, prefixes: Mapping[str, int] | None = None) -> int:
        """Return the text as a number of 0 or more; UnclearError where it is none.

        *prefixes* are the factors that letters behind it stand for.
        """
        value = number(self.text, prefixes)
        if value is None:
            raise UnclearError(f"{self.name} is no plain number there", self.where)
        return value

    @property
    def source(self) -> str:
        """Return place, name and number, as a report shows them."""
        shown = self.text.strip()
        is_plain = _SCALED.fullmatch(shown) is not None
        return f"{self.where}: {self.name} {shown}" if is_plain else f"{self.where}: {self.name}"


def number(text: str, prefixes: Mapping[str, int] | None = None) -> int | None:
    """Return a number of 0 or more, None for anything else."""
    found = _SCALED.fullmatch(text.strip())
    if found is None:
        return None
    factors = {"": 1, **(prefixes or {})}
    factor = factors.get(found[2], factors.get(found[2].lower()))
    return None if factor is None else int(found[1]) * factor
