import pytest

from capacity.domain.histogram import bucket_of
from capacity.loadgen.master.workers import merged_counts
from capacity.loadgen.master.workers.merged_counts import MergedCounts
from capacity.loadgen.protocol.kinds import PRIVATE_COUNTS


def test_rates_are_taken_over_each_workers_own_seconds(report):
    merged = MergedCounts()
    merged.add("a", report(deliveries=100, seconds=1.0))
    merged.add("a", report(deliveries=100, seconds=1.0))
    merged.add("b", report(deliveries=30, seconds=0.5))

    assert 230 == merged.total("deliveries")
    assert 100 + 60 == merged.per_s("deliveries")


def test_histograms_and_failures_of_workers_add_up(report):
    merged = MergedCounts()
    for worker in "ab":
        counts = {bucket_of(2000): 5}
        merged.add(
            worker,
            report(
                failures={"x": 1},
                unmatched_by={"not JSON": 2},
                histograms={"delivery_delay": counts},
            ),
        )

    assert {"x": 2} == merged.failures
    assert {"not JSON": 4} == merged.unmatched_by
    assert (10, pytest.approx(0.002, rel=0.01)) == (
        merged.quantiles("delivery_delay").count,
        merged.quantiles("delivery_delay").p99_s,
    )


def test_what_was_not_measured_is_none(report):
    merged = MergedCounts()
    merged.add("a", report())

    assert merged.quantiles("request_latency") is None
    assert merged.load() is None


def test_the_busiest_worker_counts_on_average(report):
    merged = MergedCounts()
    gauges = report()["gauges"]
    merged.add("a", report(gauges={**gauges, "cpu_ratio": 0.2, "descriptors_ratio": 0.5}))
    for cpu_ratio, seconds in ((1.0, 1.0), (0.2, 3.0)):
        busy = {**gauges, "cpu_ratio": cpu_ratio, "descriptors_ratio": 0.1}
        merged.add("b", report(gauges=busy, seconds=seconds))

    assert pytest.approx(0.4) == merged.cpu_ratio
    assert 0.5 == merged.descriptors_ratio


def test_a_worker_is_final_only_when_it_says_so(report):
    merged = MergedCounts()
    merged.add("a", report())
    merged.add("b", report(is_final=True))

    assert {"b"} == merged.finals


def test_each_quantile_is_the_one_of_its_name(report):
    """A hundred durations of 1 to 100 s, of which each is its own percentile."""
    merged = MergedCounts()
    counts = {bucket_of(second * 1_000_000): 1 for second in range(1, 101)}
    merged.add("a", report(histograms={"delivery_delay": counts}))
    found = merged.quantiles("delivery_delay")

    assert (50, 95, 99, 100) == (
        pytest.approx(found.p50_s, rel=0.015),
        pytest.approx(found.p95_s, rel=0.015),
        pytest.approx(found.p99_s, rel=0.015),
        pytest.approx(found.max_s, rel=0.015),
    )


def test_who_counted_for_no_time_has_no_rate(report):
    merged = MergedCounts()
    assert (0.0, 0.0, 0, 0.0) == (
        merged.cpu_ratio,
        merged.per_s("deliveries"),
        merged.total("deliveries"),
        merged.descriptors_ratio,
    )
    merged.add("a", report(deliveries=5, seconds=0.0, orders={"order_place_rest_answered": 2}))

    assert (0.0, 0.0, 0.0) == (
        merged.cpu_ratio,
        merged.per_s("deliveries"),
        merged.orders_per_s(),
    )


def test_what_an_older_worker_does_not_count_adds_nothing(report):
    told = report()
    del told["gaps"]
    merged = MergedCounts()
    merged.add("a", told)

    assert 0 == merged.total("gaps")


def test_versions_and_what_is_held_are_kept_by_report(report):
    merged = MergedCounts()
    gauges = {**report()["gauges"], "open_connections": 3}
    merged.add("a", report(pushed_versions=[(1.0, 0.5, 7)], deliveries=4, seconds=0.5))
    merged.add("a", report(polled_versions=[(2.0, 8, 0.1)], gauges=gauges))

    assert ([(1.0, 0.5, 7)], [(2.0, 8, 0.1)]) == (merged.pushed_versions, merged.polled_versions)
    assert {"a": 3} == merged.held
    assert {"a": [(4, 0.5), (0, 1.0)]} == merged.delivered


def test_errors_of_workers_add_up_by_their_deliveries(report, monkeypatch):
    seen = []

    def relative_error(reports, at_once):
        seen.append(at_once)
        return {300: 0.1, 100: 0.3, 0: None}[reports[0][0]]

    monkeypatch.setattr(merged_counts, "relative_error", relative_error)
    merged = MergedCounts()
    assert merged.delivery_rate_error_ratio(10) is None
    merged.add("a", report(deliveries=300))
    merged.add("b", report(deliveries=100))

    assert pytest.approx(0.15) == merged.delivery_rate_error_ratio(10)
    assert [5.0, 5.0] == seen
    merged.add("c", report(deliveries=0))
    assert merged.delivery_rate_error_ratio(10) is None


def test_where_nothing_was_delivered_there_is_no_error(report, monkeypatch):
    monkeypatch.setattr(merged_counts, "relative_error", lambda _reports, _at_once: 0.0)
    merged = MergedCounts()
    merged.add("a", report(deliveries=0))

    assert merged.delivery_rate_error_ratio(1) is None


def test_requests_of_traders_are_told_by_kind_and_outcome(report):
    merged = MergedCounts()
    placed = {"order_place_rest_answered": 6, "order_place_rest_unknown": 1}
    merged.add(
        "a",
        report(orders=placed, histograms={"order_latency_place_rest": {bucket_of(2_000_000): 6}}),
    )
    merged.add("a", report(orders={"order_place_rest_answered": 2}))
    merged.add("b", report(orders={"order_cancel_rest_refused": 3}, seconds=0.5))
    figures = merged.order_figures()

    assert {"place_rest", "cancel_rest"} == set(figures)
    assert (8, 0, 1, 0) == tuple(
        getattr(figures["place_rest"], name)
        for name in ("answered", "refused", "unknown", "not_sent")
    )
    assert 6 == figures["place_rest"].latency.count
    assert figures["cancel_rest"].latency is None
    # Eight answers in two seconds of one worker, three refusals in half a second of the other.
    assert 4.0 + 6.0 == merged.orders_per_s()


def test_the_load_is_the_mean_of_what_was_open_and_the_rates(report):
    merged = MergedCounts()
    merged.add("a", report(deliveries=8, delivered_bytes=80, requests=4, connects=2, seconds=2.0))
    merged.open_connections += [10, 20, 60]
    load = merged.load()

    assert (30.0, 4.0, 40.0, 2.0, 1.0, 0.0) == (
        load.connections,
        load.deliveries_per_s,
        load.delivered_bytes_per_s,
        load.requests_per_s,
        load.handshakes_per_s,
        load.orders_per_s,
    )


def test_what_private_connections_counted_adds_up(report):
    counted = {**dict.fromkeys(PRIVATE_COUNTS, 2), "failures": {"connect_refused": 1}}
    merged = MergedCounts()
    assert merged.private_failures == {}
    for worker in "ab":
        merged.add(worker, report(private=counted))

    assert dict.fromkeys(PRIVATE_COUNTS, 4) == merged.private.counts
    assert {"connect_refused": 2} == merged.private_failures


def test_what_is_open_is_noted_once_every_worker_has_told(report):
    merged = MergedCounts()
    gauges = {**report()["gauges"], "open_connections": 3}
    counted = {**dict.fromkeys(PRIVATE_COUNTS, 0), "failures": {}}
    merged.add("a", report(gauges=gauges))
    merged.note_open(["a", "b"], private=1)
    assert [] == merged.open_connections
    merged.add("b", report(gauges={**gauges, "open_connections": 4}))
    merged.note_open(["a", "b"], private=1)
    assert [7] == merged.open_connections
    merged.add("b", report(private=counted, gauges=gauges))
    merged.note_open(["a", "b"], private=2)
    assert ([7, 6], [2]) == (merged.open_connections, merged.private.open_connections)


def test_half_a_second_is_enough_for_a_share_of_a_processor(report):
    merged = MergedCounts()
    merged.add("a", report(gauges={**report()["gauges"], "cpu_ratio": 0.4}, seconds=0.5))

    assert pytest.approx(0.4) == merged.cpu_ratio
