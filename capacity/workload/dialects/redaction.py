"""Takes what a target file gives, and signed tokens, out of texts that people are shown.

A target may say back what it was told: a refusal quotes the key, the answer to a login has its token.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

LEAST_LETTERS = 4
"""What is shorter is no secret."""
BY_CHANCE_LETTERS = 8
"""What is shorter stands by chance in what a target says, such as the name of a user or an account."""
_TOKEN = re.compile(rb"eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+")
"""JSON Web Tokens begin so: with the base64 of two objects."""


def redacted(text: bytes, values: Mapping[str, Any], least: int = LEAST_LETTERS) -> bytes:
    """Return *text* with the names of *values* in place of what they are, and without signed tokens.

    Also as JSON and addresses write them, and where the text is cut amid one. Values of less than *least*
    letters are left.
    """
    for name, value in values.items():
        secret = str(value)
        if len(secret) < least:
            continue
        place = f"{{{name}}}".encode()
        for written in _spellings(secret):
            text = text.replace(written, place)
        text = _without_begin(text, secret.encode(), place, least)
    return _TOKEN.sub(b"{token}", text)


def redacted_words(text: str, values: Mapping[str, Any]) -> str:
    """Return what a target said without *values*, as `redacted` does."""
    if not values:
        return text
    return redacted(text.encode(errors="replace"), values, BY_CHANCE_LETTERS).decode()


def _spellings(secret: str) -> Iterator[bytes]:
    escaped = json.dumps(secret, ensure_ascii=False)[1:-1]
    ways = (secret, escaped, json.dumps(secret)[1:-1], quote(secret, safe=""))
    yield from (way.encode() for way in dict.fromkeys(ways))


def _without_begin(text: bytes, secret: bytes, place: bytes, least: int) -> bytes:
    for length in range(len(secret) - 1, least - 1, -1):
        if text.endswith(secret[:length]):
            return text[:-length] + place
    return text
