"""What a dialect says by itself, on every connection that it is for, evenly over the time between."""

from collections.abc import Callable, Iterable
from typing import Protocol

import gevent

from capacity.loadgen.wire.epoll_set import spread


class Line(Protocol):
    """A connection that the dialect's periodic rules are for."""

    @property
    def is_open(self) -> bool: ...

    def send_periodic(self, rule: int, /) -> None: ...


def send_forever(rule: int, every_s: float, *held: Callable[[], Iterable[Line]]) -> None:
    """Have each of all *held* that is open say the *rule* once in each interval."""
    while True:
        gevent.sleep(every_s / 2)
        lines = [line for some in held for line in some() if line.is_open]
        per_s = max(1.0, 2 * len(lines) / every_s)
        spread(lambda line: line.send_periodic(rule), lines, per_s)
