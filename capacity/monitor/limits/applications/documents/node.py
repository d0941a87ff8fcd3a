"""One value of a structured configuration (YAML, JSON, TOML) with the place where it stands.

Keys are found in any spelling: Envoy takes circuit_breakers and circuitBreakers, Traefik any case.
"""

from collections.abc import Iterator
from typing import NamedTuple

from capacity.monitor.limits.applications.settings import Setting

_MOST_DEPTH = 64


class Node(NamedTuple):
    value: str | list["Node"] | dict[str, "Node"] | None
    """A text, what is below it, or None where there is nothing."""
    path: str
    line: int = 0
    """From 1 on; 0 where it is not known."""
    note: str = ""

    @property
    def where(self) -> str:
        line = f":{self.line}" if self.line else ""
        return f"{self.path}{line}{self.note}"

    @property
    def text(self) -> str | None:
        return self.value if isinstance(self.value, str) else None

    @property
    def elements(self) -> list["Node"]:
        """What a list has; nothing for anything else."""
        return self.value if isinstance(self.value, list) else []

    @property
    def members(self) -> dict[str, "Node"]:
        """What a mapping has; nothing for anything else."""
        return self.value if isinstance(self.value, dict) else {}

    def at(self, *keys: str) -> "Node":
        """Return what stands below these keys, one under the other; a node of None where nothing does."""
        node = self
        for key in keys:
            node = node._below(key)
        return node

    def setting(self, name: str) -> Setting | None:
        """Return it as a setting; a list or mapping is one without a number, None is none."""
        return None if self.value is None else Setting(name, self.text or "", self.where)

    def found(self, key: str, depth: int = 0) -> Iterator["Node"]:
        """Yield what stands under *key* at any depth, down to 64."""
        if depth > _MOST_DEPTH:
            return
        wanted = _spelled(key)
        for name, child in self.members.items():
            if _spelled(name) == wanted:
                yield child
            yield from child.found(key, depth + 1)
        for child in self.elements:
            yield from child.found(key, depth + 1)

    def _below(self, key: str) -> "Node":
        members = self.members
        if key in members:
            return members[key]
        wanted = _spelled(key)
        same = (child for name, child in members.items() if _spelled(name) == wanted)
        return next(same, Node(None, self.path, self.line, self.note))


def _spelled(key: str) -> str:
    return key.replace("_", "").lower()
