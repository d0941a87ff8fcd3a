"""What a draft is made of, before it is written."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Draft:
    """The sections of a dialect file, and what a person should look at."""

    sections: dict[str, Any] = field(default_factory=dict)
    doubts: dict[str, str] = field(default_factory=dict)
    """Section -> what is guessed in it."""
    symbols: list[str] = field(default_factory=list)
    origin: tuple[str, int, bool] = ("127.0.0.1", 80, False)
    """Host, port and whether TLS."""
    needs: dict[str, str] = field(default_factory=dict)
    """Name -> what it was found as."""
