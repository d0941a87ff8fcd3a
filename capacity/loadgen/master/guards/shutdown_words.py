"""What the target said as it ended connections: a planned shutdown is no loss under load by itself."""

from collections.abc import Iterable

from capacity.loadgen.protocol.kinds import OF_PRIVATE
from capacity.planning.evidence.endings.said_shutdown import PLANNED_SHUTDOWN


class ShutdownWords:
    """Remembers the last one, and in which step it was said."""

    def __init__(self) -> None:
        self._index = -1
        self._text = ""

    def note(self, index: int, texts: Iterable[str]) -> None:
        """Take what the target said in the step with this index when it ended connections."""
        for text in (each.removeprefix(OF_PRIVATE) for each in texts):
            if PLANNED_SHUTDOWN.match(text):
                self._index, self._text = index, text

    def told(self, index: int, statement: str) -> str:
        """Return *statement* of how the step ended, with the shutdown that was said in it, if any."""
        if index != self._index:
            return statement
        return (
            f"{statement}; the target {self._text}, as in a planned shutdown: look whether somebody restarted"
            " it, or a health check that this load failed"
        )
