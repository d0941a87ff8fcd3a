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


def test_reports_add_up_and_what_had_no_time_is_told(report):
    stats = RequestStats()
    for delays, untimed in (({2000: 3, 2100: 1}, 1), ({50_000: 2, 1000: 1}, 0), ({}, 2)):
        counts = {bucket_of(delay_us): count for delay_us, count in delays.items()}
        add_deliveries(
            stats,
            report(
                deliveries=sum(delays.values()) + untimed,
                untimed=untimed,
                delivered_bytes=10,
                histograms={"delivery_delay": counts} if counts else {},
            ),
        )

    for entry in (stats.get("delivery", "WS"), stats.total):
        assert (10, 3, 30) == (
            entry.num_requests,
            entry.num_none_requests,
            entry.total_content_length,
        )
        assert {2: 4, 50: 2, 1: 1} == entry.response_times
        assert 2 * 4 + 50 * 2 + 1 == entry.total_response_time
        assert (1, 50) == (entry.min_response_time, entry.max_response_time)
        assert 10 == sum(entry.num_reqs_per_sec.values())
        assert 0 < entry.last_request_timestamp


def test_delays_of_no_millisecond_are_the_least(report):
    stats = RequestStats()
    add_deliveries(stats, report(deliveries=1, histograms={"delivery_delay": {bucket_of(3): 1}}))
    entry = stats.get("delivery", "WS")

    assert (0, 0) == (entry.min_response_time, entry.max_response_time)
