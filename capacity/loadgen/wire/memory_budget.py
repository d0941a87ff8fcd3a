"""What all connections of one process may hold together of what is not complete: one budget.

A bound for each connection is none for a thousand of them: a target that begins a large message on
each and ends none would have the worker killed. Who holds most has to go first.
"""

from typing import Protocol

MOST_BYTES = 512 * 2**20
SPENT = "memory_budget"
"""The reason under which a connection that had to go is counted."""


class Holder(Protocol):
    """Holds bytes that wait for more; must not weigh anything while it is shed."""

    def shed(self) -> None: ...


class MemoryBudget:
    """Who holds how much, and who has to go."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self.most_bytes = most_bytes
        self.held_bytes = 0
        self._held: dict[Holder, int] = {}

    def weigh(self, holder: Holder, held_bytes: int) -> None:
        """Note what *holder* holds now; the largest are shed until the rest is within the budget."""
        self.held_bytes += held_bytes - self._held.pop(holder, 0)
        if held_bytes:
            self._held[holder] = held_bytes
        while self.held_bytes > self.most_bytes:
            largest = max(self._held, key=self._held.__getitem__)
            self.held_bytes -= self._held.pop(largest)
            largest.shed()
