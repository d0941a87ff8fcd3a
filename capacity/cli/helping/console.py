"""How wide answers are: as the terminal, as COLUMNS says, or wide enough for whole names."""

import os
import sys

from rich.console import Console

PIPED_WIDTH = 160
_NARROWEST = 40
"""Columns of a table that can be read."""


def answer_console(piped_width: int = PIPED_WIDTH) -> Console:
    """Return a console on stdout. A pipe without COLUMNS has no width; 80 would cut names into pieces."""
    asked = os.environ.get("COLUMNS", "")
    is_asked = asked.isascii() and asked.isdigit() and int(asked) >= _NARROWEST
    return Console(width=None if sys.stdout.isatty() or is_asked else piped_width)
