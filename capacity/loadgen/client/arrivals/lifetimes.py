"""Tells connections that the target ended at a set age from those that it lost under load.

Proxies and services bound the life of a connection whatever the load: each is closed when it is so old. The
ages of what ends then are alike, while the moments are as far apart as the connections' beginnings; where
load is the reason it is the other way round. Without a good-bye, and where a bound scatters so that not all
come back at once (jitter: gRPC's MAX_CONNECTION_AGE by a tenth), the oldest have to end first as well, and
with scatter one after the other while nobody arrives: arrivals may be what the oldest have to go for.
"""

import math
import re
from collections import deque
from collections.abc import Callable
from statistics import mean, pstdev

GOODBYES = frozenset({1000, 1001, 1012})
"""Codes of who leaves in peace: normal closure, going away (RFC 6455, section 7.4.1), service restart (IANA)."""
_ABOUT_AGE = re.compile(
    r"(?i)\b(age|life(time)?|expir\w*|idle|duration|max(imum)? connection time|session)\b"
)
FEWEST = 3
LEAST_AGE_S = 1.0
ALIKE_RATIO = 0.05
"""Of their mean: how far ages may scatter."""
ALIKE_S = 0.1
"""Or so far: as late as a busy host may be."""
TOGETHER_RATIO = 0.5
"""Of the scatter of the moments: what ends at once because of the load has ages as far apart as beginnings."""
_REMEMBERED = 100
JITTER_RATIO = 0.15
"""Of their mean: how far ages of a bound with jitter may scatter, a quarter of it to either side."""
REACH_RATIO = 0.5
"""Of the mean of ages that scatter: how far one of them may be from it, and anybody open beyond it."""
DRAWN_OUT_S, DRAWN_OUT_RATIO = 0.3, 0.01
"""How far apart moments are at least where each connection ends by itself, also as a share of the age."""
_LOOK_S = 0.25
"""How old the knowledge of who is the oldest may be: many may end at once."""


class Lifetimes:
    """What one worker knows of the ages at which its connections end."""

    def __init__(self) -> None:
        self._ended: deque[tuple[float, float]] = deque(maxlen=_REMEMBERED)
        self.age_s = math.nan
        """The age at which the target ends connections; not a number while none is known."""
        self._reach_s = math.nan
        """How far from it an age may be."""
        self._eldest = (-math.inf, math.inf)
        """When it was looked for, and when it was born."""

    def note(
        self,
        age_s: float,
        now_s: float,
        closing: tuple[int, str] | None,
        *,
        eldest_born_s: Callable[[], float] | None = None,
        is_held: bool = False,
    ) -> int:
        """Take a connection that ended; return how many are now known to have come of age.

        More than one where this one shows what those before it were; 0 for one that is lost.
        *eldest_born_s* says when the oldest that is open was opened, *is_held* that none are being opened.
        """
        if closing is not None and closing[0] not in GOODBYES and not _ABOUT_AGE.search(closing[1]):
            return 0
        if closing is None and not self._is_eldest(age_s, now_s, ALIKE_RATIO, eldest_born_s):
            return 0
        if abs(age_s - self.age_s) <= self._reach_s:
            return 1
        self._ended.append((age_s, now_s))
        ages, moments = zip(*self._ended, strict=True)
        usual_s = mean(ages)
        if len(ages) < FEWEST or usual_s < LEAST_AGE_S:
            return 0
        if self._are_alike(ages, moments):
            self._reach_s = max(ALIKE_S, ALIKE_RATIO * usual_s)
        elif (
            is_held
            and self._are_drawn_out(ages, moments)
            and self._is_eldest(age_s, now_s, REACH_RATIO, eldest_born_s)
        ):
            self._reach_s = REACH_RATIO * usual_s
        else:
            return 0
        self.age_s = usual_s
        self._ended.clear()
        return len(ages)

    @staticmethod
    def _are_alike(ages: tuple[float, ...], moments: tuple[float, ...]) -> bool:
        scatter_s = pstdev(ages)
        return scatter_s <= max(
            ALIKE_S, ALIKE_RATIO * mean(ages)
        ) and scatter_s <= TOGETHER_RATIO * pstdev(moments)

    @staticmethod
    def _are_drawn_out(ages: tuple[float, ...], moments: tuple[float, ...]) -> bool:
        least_s = max(DRAWN_OUT_S, DRAWN_OUT_RATIO * mean(ages))
        return pstdev(ages) <= JITTER_RATIO * mean(ages) and pstdev(moments) >= least_s

    def _is_eldest(
        self, age_s: float, now_s: float, slack_ratio: float, born_s: Callable[[], float] | None
    ) -> bool:
        """Tell whether nobody who is open is older than that age by more than a share of it."""
        if born_s is None:
            return False
        if now_s - self._eldest[0] >= _LOOK_S:
            self._eldest = now_s, born_s()
        return now_s - self._eldest[1] <= age_s + max(ALIKE_S + _LOOK_S, slack_ratio * age_s)
