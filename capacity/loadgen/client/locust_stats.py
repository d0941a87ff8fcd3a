"""Shows deliveries in Locust's own statistics, in bulk: `request.fire` a message costs too much."""

from locust.stats import RequestStats, StatsEntry

import time
from typing import Any

from capacity.domain.histogram import middle_of


def add_deliveries(stats: RequestStats, report: dict[str, Any]) -> None:
    """Add a report's deliveries as requests named `delivery`, with the delay as response time."""
    if not report["deliveries"]:
        return
    delays_ms: dict[int, int] = {}
    for bucket, count in report["histograms"].get("delivery_delay", {}).items():
        delay_ms = round(middle_of(bucket) / 1000)
        delays_ms[delay_ms] = delays_ms.get(delay_ms, 0) + count
    for entry in (stats.get("delivery", "WS"), stats.total):
        _add(entry, report, delays_ms)


def _add(entry: StatsEntry, report: dict[str, Any], delays_ms: dict[int, int]) -> None:
    now_s = int(time.time())
    entry.num_requests += report["deliveries"]
    entry.num_none_requests += report["untimed"]
    entry.num_reqs_per_sec[now_s] = entry.num_reqs_per_sec.get(now_s, 0) + report["deliveries"]
    entry.last_request_timestamp = time.time()
    entry.total_content_length += report["delivered_bytes"]
    for delay_ms, count in delays_ms.items():
        entry.response_times[delay_ms] = entry.response_times.get(delay_ms, 0) + count
        entry.total_response_time += delay_ms * count
    if delays_ms:
        least = min(delays_ms)
        entry.min_response_time = (
            least if entry.min_response_time is None else min(entry.min_response_time, least)
        )
        entry.max_response_time = max(entry.max_response_time, *delays_ms, 0)
