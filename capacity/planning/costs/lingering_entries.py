"""
What requests leave behind in the connection-tracking table: entries of connections that were closed.

A proxy that opens a connection for each request leaves an entry of it for two minutes, longer than the
plateaus of a run: the table goes on filling while the load stays. How fast tells how many entries a
request leaves, and with the time for which they stay how many there are in the end, requests a second
times entries times seconds (Little, Operations Research 9, 1961).
"""

from collections.abc import Sequence

from capacity.domain.resources import Resource
from capacity.planning.evidence.windows import Window

TIME_WAIT_S = 120.0
"""For which the kernel tracks a connection that was closed: nf_conntrack_tcp_timeout_time_wait, as it
is by default (nf_conntrack-sysctl.rst); a shorter one makes the cost too high."""


def lingering_cost(resource: Resource, windows: Sequence[Window]) -> float:
    """Return the entries that a request a second keeps in the table by what it leaves; ≥ 0."""
    if resource is not Resource.CONNTRACK:
        return 0.0
    polled = {window.step: window for window in windows if window.load.requests_per_s > 0.0}
    asked_per_s = sum(window.load.requests_per_s for window in polled.values())
    left_per_s = sum(window.tracked_per_s for window in polled.values())
    return TIME_WAIT_S * left_per_s / asked_per_s if asked_per_s else 0.0
