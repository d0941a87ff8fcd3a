"""Plain data as the YAML that people write in dialects: one line where it is short enough."""

import json
import re
from typing import Any

_PLAIN = re.compile(r"[A-Za-z_$][A-Za-z0-9_/$-]*(\.[A-Za-z0-9_/$-]+)*")
_NOT_PLAIN = {"true", "false", "null", "on", "off", "yes", "no", "y", "n"}
_ESCAPED = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
"""What YAML forbids in a text or takes for the end of a line, and JSON does not."""
_WIDEST = 96


def flow(value: Any) -> str:
    """Return *value* as a flow of YAML, on one line."""
    if isinstance(value, dict):
        return (
            "{" + ", ".join(f"{flow(str(key))}: {flow(each)}" for key, each in value.items()) + "}"
        )
    if isinstance(value, list | tuple):
        return "[" + ", ".join(flow(each) for each in value) + "]"
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _NOT_PLAIN:
        return value
    text = json.dumps(value, ensure_ascii=False)
    return _ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def block(key: str, value: Any, indent: int = 0) -> list[str]:
    """Return the lines of one key and its value, below one another where one line is too wide."""
    pad = " " * indent
    line = f"{pad}{flow(key)}: {flow(value)}"
    if len(line) <= _WIDEST or not value or not isinstance(value, dict | list):
        return [line]
    lines = [f"{pad}{flow(key)}:"]
    if isinstance(value, dict):
        for inner, each in value.items():
            lines += block(str(inner), each, indent + 2)
        return lines
    return lines + [f"{pad}  - {flow(each)}" for each in value]
