"""Locust's statistics of long runs: it counts for every second and never looks back further than some.

Of an hour's seconds its own pages and tables use the last twelve. Its history, drawn in its charts, is
thinned: every second reading of the older half goes where it grows too long.
"""

from locust.stats import RequestStats

SECONDS = 60
MOST_READINGS = 240
"""Of the history: one in five seconds, so twenty minutes before it is thinned."""


def forget_old_seconds(stats: RequestStats) -> None:
    """Drop what is older, in place."""
    for entry in (*stats.entries.values(), stats.total):
        for counts in filter(None, (entry.num_reqs_per_sec, entry.num_fail_per_sec)):
            oldest = max(counts) - SECONDS
            for second in [each for each in counts if each < oldest]:
                del counts[second]
    if len(stats.history) > MOST_READINGS:
        del stats.history[: MOST_READINGS // 2 : 2]
