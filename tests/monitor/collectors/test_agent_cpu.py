"""The agent's own cost, against time burnt on purpose."""

import time

import pytest

from capacity.monitor.collectors.agent_cpu import AgentCpuCollector


def test_burnt_time_is_the_agents_own():
    collector = AgentCpuCollector(iter([100.0, 102.0]).__next__)
    burnt_s = time.process_time() + 0.1
    while time.process_time() < burnt_s:
        pass
    cores = collector.collect().gauges["agent_cpu_cores"]

    assert cores * 2.0 == pytest.approx(0.1, abs=0.02)


def test_each_reading_starts_from_the_one_before():
    collector = AgentCpuCollector(iter([100.0, 101.0, 102.0]).__next__)
    burnt_s = time.process_time() + 0.1
    while time.process_time() < burnt_s:
        pass
    collector.collect()

    assert collector.collect().gauges["agent_cpu_cores"] < 0.02
