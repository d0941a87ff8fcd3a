"""Directives with blocks of others, as the configurations of nginx and Caddy have them."""

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Directive:
    name: str
    words: tuple[str, ...]
    where: str
    block: list["Directive"] = field(default_factory=list)

    @property
    def text(self) -> str:
        return " ".join(self.words)

    def all(self, *names: str) -> Iterator["Directive"]:
        """Yield the directives of these names in its block, at any depth; without names, all of them."""
        for directive in self.block:
            if not names or directive.name in names:
                yield directive
            yield from directive.all(*names)
