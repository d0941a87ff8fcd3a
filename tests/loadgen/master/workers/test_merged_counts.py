import pytest

from capacity.domain.histogram import bucket_of
from capacity.loadgen.master.workers.merged_counts import MergedCounts


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
