"""Numbers that JSON has none for: a document for programs spells them out."""

import math
from typing import Any


def finite(value: Any) -> Any:
    """Return *value* with a string for every number that JSON has none for."""
    if isinstance(value, dict):
        return {key: finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [finite(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value
