"""How a trial fails that was connected: its login is refused, or channels are, or are not confirmed.

The latter are told apart from a cap by trying each alone.
"""

from collections.abc import Sequence

from capacity.domain.errors import UnreachableError


class LoginRefusedError(UnreachableError):
    """The target refused a step before the subscriptions."""


class NotConfirmedError(UnreachableError):
    """Some channels were refused, or not confirmed."""

    def __init__(self, message: str, url: str, why: str, channels: Sequence[str]) -> None:
        super().__init__(message)
        self._url, self.why = url, why
        self.channels = channels
        """Those."""

    def as_cap(self, asked: int) -> str:
        """Return what is wrong if each of them is confirmed alone."""
        taken = asked - len(self.channels)
        most = f" ({taken} here)" if taken else ""
        return (
            f"{self._url}: the target does not take {asked} subscriptions of one connection ({self.why}),"
            f" and confirms those that it refused where they are alone; lower"
            f" mix.subscriptions_per_connection of the profile to what it takes{most}, or raise its cap"
        )
