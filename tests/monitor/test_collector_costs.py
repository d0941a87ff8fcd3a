"""Processor time is charged to the collector that spent it, and told every ten seconds."""

import time
from types import SimpleNamespace

import pytest

from capacity.monitor import collector_costs as module
from capacity.monitor.collector_costs import CollectorCosts
from capacity.monitor.collectors.descriptors import DescriptorsCollector
from capacity.monitor.collectors.file_table import FileTableCollector


def spend(seconds):
    end_s = time.thread_time() + seconds
    while time.thread_time() < end_s:
        pass


def test_each_pays_for_itself():
    costs = CollectorCosts(iter([100.0, 120.0]).__next__)
    with costs.of(DescriptorsCollector()):
        spend(0.08)
    for _ in range(2):
        with costs.of(FileTableCollector()):
            spend(0.01)
    told = costs.gauges()

    assert set(told) == {"collector_descriptors_cores", "collector_file_table_cores"}
    assert told["collector_descriptors_cores"] * 20.0 == pytest.approx(0.08, rel=0.2)
    assert told["collector_file_table_cores"] * 20.0 == pytest.approx(0.02, rel=0.3)


@pytest.mark.parametrize(("after_s", "is_told"), [(9.9, False), (10.0, True)])
def test_it_is_told_every_ten_seconds(after_s, is_told):
    costs = CollectorCosts(iter([100.0, 100.0 + after_s]).__next__)
    with costs.of(FileTableCollector()):
        pass

    assert is_told == bool(costs.gauges())


def test_each_telling_is_of_the_time_since_the_one_before(monkeypatch):
    costs = CollectorCosts(iter([100.0, 120.0, 129.9, 145.0]).__next__)
    spent_s = iter([0.0, 5.0, 5.0, 7.0])
    monkeypatch.setattr(module, "time", SimpleNamespace(thread_time=lambda: next(spent_s)))
    told = []
    for asks in (1, 2):
        with costs.of(FileTableCollector()):
            pass
        told += [costs.gauges() for _ in range(asks)]
    name = "collector_file_table_cores"

    assert [{name: 5.0 / 20.0}, {}, {name: 2.0 / 25.0}] == told


def test_it_is_told_once_and_not_too_often(monkeypatch):
    costs = CollectorCosts()
    with costs.of(FileTableCollector()):
        pass
    early = costs.gauges()
    monkeypatch.setattr(module, "_EVERY_S", 0.0)
    costs.gauges()

    assert early == {}
    assert costs.gauges() == {}


def test_what_fails_has_cost_something_too(monkeypatch):
    costs = CollectorCosts()
    with pytest.raises(OSError), costs.of(FileTableCollector()):  # noqa: PT011 - any will do
        raise OSError
    monkeypatch.setattr(module, "_EVERY_S", 0.0)

    assert costs.gauges()["collector_file_table_cores"] > 0
