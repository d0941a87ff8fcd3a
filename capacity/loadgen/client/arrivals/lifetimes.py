"""Tells connections that the target ended at a set age from those that it lost under load.

Proxies and services bound the life of a connection whatever the load: each is closed with a good-bye when
it is so old. The ages of what ends then are alike, while the moments are as far apart as the connections'
beginnings; where load is the reason it is the other way round.
"""

import math
import re
from collections import deque
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


class Lifetimes:
    """What one worker knows of the ages at which its connections end."""

    def __init__(self) -> None:
        self._ended: deque[tuple[float, float]] = deque(maxlen=_REMEMBERED)
        self.age_s = math.nan
        """The age at which the target ends connections; not a number while none is known."""

    def note(self, age_s: float, now_s: float, closing: tuple[int, str] | None) -> int:
        """Take a connection that ended; return how many are now known to have come of age.

        More than one where this one shows what those before it were; 0 for one that is lost.
        """
        if closing is None or (closing[0] not in GOODBYES and not _ABOUT_AGE.search(closing[1])):
            return 0
        if abs(age_s - self.age_s) <= max(ALIKE_S, ALIKE_RATIO * self.age_s):
            return 1
        self._ended.append((age_s, now_s))
        ages, moments = zip(*self._ended, strict=True)
        usual_s = mean(ages)
        if (
            len(ages) < FEWEST
            or usual_s < LEAST_AGE_S
            or pstdev(ages) > max(ALIKE_S, ALIKE_RATIO * usual_s)
            or pstdev(ages) > TOGETHER_RATIO * pstdev(moments)
        ):
            return 0
        self.age_s = usual_s
        self._ended.clear()
        return len(ages)
