"""What the models of all kinds of settings files share."""

import re
from typing import Annotated

from pydantic import AfterValidator, ConfigDict

RULES = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


def _is_name(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}", name):
        raise ValueError(
            "must be 1 to 60 letters, digits, dots, dashes and underscores, the first no sign "
            f"(got {name[:80]!a}); it becomes part of file names"
        )
    return name


Name = Annotated[str, AfterValidator(_is_name)]
"""Becomes part of file names."""
