"""Who looks on while one connection is tried."""

import re
from collections.abc import Mapping, Sequence
from typing import Protocol

from capacity.workload.reception import Reception

_TOKEN = re.compile(rb"eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+")
"""JSON Web Tokens begin so: with the base64 of two objects."""
_LEAST_SECRET = 4


class Watcher(Protocol):
    """Sees the conversation as it goes on."""

    def sent(self, payload: bytes) -> None:
        """See what we said."""

    def heard(self, payload: bytes, receptions: Sequence[Reception]) -> None:
        """See what the target said, and what was made of it."""


class NoWatcher:
    """Looks at nothing."""

    def sent(self, payload: bytes) -> None:
        pass

    def heard(self, payload: bytes, receptions: Sequence[Reception]) -> None:
        pass


def without_secrets(text: bytes, secrets: Mapping[str, str]) -> bytes:
    """Return *text* with the names of *secrets* in place of what they are, and without signed tokens."""
    for name, value in secrets.items():
        if len(value) >= _LEAST_SECRET:
            text = text.replace(value.encode(), f"{{{name}}}".encode())
    return _TOKEN.sub(b"{token}", text)
