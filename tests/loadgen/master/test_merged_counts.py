import pytest

from capacity.domain.histogram import bucket_of
from capacity.loadgen.tally import Tally


def test_rates_are_taken_over_each_workers_own_seconds(report):
    tally = Tally()
    tally.add("a", report(deliveries=100, seconds=1.0))
    tally.add("a", report(deliveries=100, seconds=1.0))
    tally.add("b", report(deliveries=30, seconds=0.5))

    assert 230 == tally.total("deliveries")
    assert 100 + 60 == tally.per_s("deliveries")


def test_histograms_and_failures_of_workers_add_up(report):
    tally = Tally()
    for worker in "ab":
        counts = {bucket_of(2000): 5}
        tally.add(worker, report(failures={"x": 1}, histograms={"delivery_delay": counts}))

    assert {"x": 2} == tally.failures
    assert (10, pytest.approx(0.002, rel=0.01)) == (
        tally.quantiles("delivery_delay").count,
        tally.quantiles("delivery_delay").p99_s,
    )


def test_what_was_not_measured_is_none(report):
    tally = Tally()
    tally.add("a", report())

    assert tally.quantiles("request_latency") is None
    assert tally.load() is None


def test_the_busiest_worker_counts_on_average(report):
    tally = Tally()
    gauges = report()["gauges"]
    tally.add("a", report(gauges={**gauges, "cpu_ratio": 0.2, "descriptors_ratio": 0.5}))
    for cpu_ratio, seconds in ((1.0, 1.0), (0.2, 3.0)):
        busy = {**gauges, "cpu_ratio": cpu_ratio, "descriptors_ratio": 0.1}
        tally.add("b", report(gauges=busy, seconds=seconds))

    assert pytest.approx(0.4) == tally.cpu_ratio
    assert 0.5 == tally.descriptors_ratio


def test_a_worker_is_final_only_when_it_says_so(report):
    tally = Tally()
    tally.add("a", report())
    tally.add("b", report(is_final=True))

    assert {"b"} == tally.finals
