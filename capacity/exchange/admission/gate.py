"""Who may connect and ask, by source address: caps on connections and attempts, credits for requests, bans.

Credits come back at a rate, up to a burst. Who has none left is throttled (429) and told how long to wait;
who goes on all the same is banned (418), each time for twice as long, as Binance does it.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from capacity.exchange.counters import Counters
from capacity.exchange.options import ExchangeOptions

THROTTLED, BANNED = 429, 418
CAP_RETRY_S = 5
LONGEST_BAN_S = 3 * 86_400.0
MOST_ADDRESSES = 10_000
"""Beyond them those are forgotten who have all their credits."""


class Rule(Enum):
    """What somebody was refused by."""

    CREDITS = auto()
    OPEN_CONNECTIONS = auto()
    CONNECTS = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    status: int
    retry_after_s: int
    reason: str
    rule: Rule = Rule.CREDITS


@dataclass(slots=True)
class _Visitor:
    credits: float
    counted_s: float
    """When the credits were counted."""
    connections: int = 0
    attempts: int = 0
    """At a connection, since the window began."""
    window_ends_s: float = -math.inf
    offences: int = 0
    """Requests beyond the credits, since the last one within them."""
    bans: int = 0
    banned_until_s: float = -math.inf
    minute: int = 0
    spent: int = 0
    """Credits spent in that minute."""


class Gate:
    def __init__(
        self,
        options: ExchangeOptions,
        counters: Counters,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._options = options
        self._counters = counters
        self._clock = clock
        self._visitors: dict[str, _Visitor] = {}

    def connect(self, address: str) -> Refusal | None:
        """Take a connection of *address* in, or return why not."""
        visitor = self._visitor(address)
        most = self._options.max_connections_per_address
        if visitor.banned_until_s > self._clock():
            return self._banned(visitor)
        if (refusal := self._attempted(visitor)) is not None:
            return refusal
        if most is not None and visitor.connections >= most:
            self._counters.throttled += 1
            return Refusal(
                status=THROTTLED,
                retry_after_s=CAP_RETRY_S,
                reason=f"too many connections from your address, {most} are allowed",
                rule=Rule.OPEN_CONNECTIONS,
            )
        visitor.connections += 1
        return None

    def _attempted(self, visitor: _Visitor) -> Refusal | None:
        """Count an attempt at a connection, or return why it was one too many."""
        most, now_s = self._options.connects_per_address, self._clock()
        if most is None:
            return None
        if visitor.window_ends_s <= now_s:
            visitor.window_ends_s, visitor.attempts = now_s + self._options.connects_window_s, 0
        visitor.attempts += 1
        if visitor.attempts <= most:
            return None
        self._counters.throttled += 1
        window_s = self._options.connects_window_s
        return Refusal(
            status=THROTTLED,
            retry_after_s=max(1, math.ceil(visitor.window_ends_s - now_s)),
            reason=f"too many attempts at a connection from your address, {most} are allowed in {window_s:g} s",
            rule=Rule.CONNECTS,
        )

    def leave(self, address: str) -> None:
        """Note that a connection that was taken in is gone."""
        self._visitor(address).connections -= 1

    def ask(self, address: str, weight: int) -> Refusal | None:
        """Take *weight* credits of *address*, all that it may have where it is more, or return why not."""
        visitor, now_s = self._visitor(address), self._clock()
        if visitor.banned_until_s > now_s:
            return self._banned(visitor)
        rate_per_s = self._options.credits_per_s
        if not rate_per_s or not weight:
            return None
        weight = min(weight, self._options.credits_burst)
        if weight <= visitor.credits:
            visitor.credits -= weight
            visitor.offences = 0
            minute = int(now_s // 60)
            visitor.spent = weight + (visitor.spent if visitor.minute == minute else 0)
            visitor.minute = minute
            return None
        visitor.offences += 1
        if visitor.offences > self._options.ban_after:
            ban_s = min(self._options.ban_s * 2.0**visitor.bans, LONGEST_BAN_S)
            visitor.banned_until_s = now_s + ban_s
            visitor.bans, visitor.offences = visitor.bans + 1, 0
            return self._banned(visitor)
        self._counters.throttled += 1
        wait_s = max(1, math.ceil((weight - visitor.credits) / rate_per_s))
        return Refusal(status=THROTTLED, retry_after_s=wait_s, reason="too many requests")

    def spent(self, address: str) -> int:
        """Return the credits that *address* spent in this minute of our clock."""
        visitor = self._visitor(address)
        return visitor.spent if visitor.minute == int(self._clock() // 60) else 0

    def used(self, address: str) -> int:
        """Return the credits of *address* that have not come back."""
        return math.ceil(self._options.credits_burst - self._visitor(address).credits)

    def _banned(self, visitor: _Visitor) -> Refusal:
        self._counters.banned += 1
        left_s = max(1, math.ceil(visitor.banned_until_s - self._clock()))
        reason = f"your address is banned for {left_s} s: it went on after too many requests"
        return Refusal(status=BANNED, retry_after_s=left_s, reason=reason)

    def _visitor(self, address: str) -> _Visitor:
        """Return what is known of *address*, with the credits that it has now."""
        now_s, burst = self._clock(), self._options.credits_burst
        visitor = self._visitors.get(address)
        if visitor is None:
            if len(self._visitors) >= MOST_ADDRESSES:
                self._forget(now_s)
            visitor = self._visitors[address] = _Visitor(credits=burst, counted_s=now_s)
        rate_per_s = self._options.credits_per_s or 0.0
        came_back = (now_s - visitor.counted_s) * rate_per_s
        visitor.credits, visitor.counted_s = min(burst, visitor.credits + came_back), now_s
        return visitor

    def _forget(self, now_s: float) -> None:
        self._visitors = {
            address: visitor
            for address, visitor in self._visitors.items()
            if visitor.connections
            or visitor.bans
            or visitor.window_ends_s > now_s
            or now_s - visitor.counted_s < self._refilled_s
        }

    @property
    def _refilled_s(self) -> float:
        rate_per_s = self._options.credits_per_s
        return self._options.credits_burst / rate_per_s if rate_per_s else 0.0
