from locust.stats import RequestStats

from capacity.domain.histogram import bucket_of
from capacity.loadgen.client.locust_stats import add_deliveries


def test_deliveries_appear_in_bulk_under_one_name(report):
    stats = RequestStats()
    counts = {bucket_of(2000): 90, bucket_of(50_000): 10}
    add_deliveries(
        stats,
        report(deliveries=100, delivered_bytes=20_000, histograms={"delivery_delay": counts}),
    )
    entry = stats.get("delivery", "WS")

    assert (100, 200.0) == (entry.num_requests, entry.avg_content_length)
    assert (2, 50) == (entry.get_response_time_percentile(0.5), entry.max_response_time)
    assert 100 == stats.total.num_requests


def test_a_report_without_deliveries_adds_no_name(report):
    stats = RequestStats()
    add_deliveries(stats, report())

    assert {} == dict(stats.entries)
