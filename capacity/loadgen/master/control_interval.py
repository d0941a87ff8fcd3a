"""How often a run is looked at, and how long its process stood still: a clock that went on tells nothing then."""

import time

import gevent

CONTROL_INTERVAL_S = 0.1
STANDSTILL_S = 1.0
"""Later than this, what the workers sent meanwhile waits to be read."""


def await_interval() -> float:
    """Wait one interval; return how long this process stood still instead of waking, mostly 0."""
    before_s = time.monotonic()
    gevent.sleep(CONTROL_INTERVAL_S)
    late_s = time.monotonic() - before_s - CONTROL_INTERVAL_S
    return late_s if late_s > STANDSTILL_S else 0.0
