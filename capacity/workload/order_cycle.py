"""What a trader asks for next, by what became of the request before: no socket and no clock.

place → amend → balance → cancel, and again. A request without an answer has an unknown outcome: the
target may have done it or not, and it must not be counted with those that it refused. What a careful
trader does then is done here as well: it looks at its balance, and cancels until it is told.
"""

from enum import StrEnum


class Outcome(StrEnum):
    """What became of a request."""

    ANSWERED = "answered"
    REFUSED = "refused"
    """The target said no; nothing was done."""
    UNKNOWN = "unknown"
    """It was sent, and no answer tells whether it was done."""
    NOT_SENT = "not_sent"
    """It never left: no connection, or no login."""


PLACE, AMEND, BALANCE, CANCEL = OPERATIONS = ("place", "amend", "balance", "cancel")


class OrderCycle:
    """The requests of one trader, who has at most one open order that it knows of."""

    __slots__ = ("_has_order", "operation")

    def __init__(self) -> None:
        self.operation = PLACE
        """What is to be asked for next."""
        self._has_order = False

    def note(self, outcome: Outcome) -> None:
        """Take it that the operation ended so, and move to the next."""
        is_open_question = outcome in (Outcome.UNKNOWN, Outcome.NOT_SENT)
        match self.operation:
            case "place":
                self._has_order = outcome is Outcome.ANSWERED
                if outcome is not Outcome.NOT_SENT:
                    self.operation = AMEND if self._has_order else BALANCE
            case "amend":
                self.operation = BALANCE
            case "balance":
                self.operation = CANCEL if self._has_order else PLACE
            case _:
                self.operation = CANCEL if is_open_question else PLACE
                self._has_order = is_open_question
