"""The agent's own cost, against time burnt on purpose."""

import time

import pytest

from capacity.monitor.collectors.agent_cpu import AgentCpuCollector


def test_burnt_time_is_the_agents_own():
    collector = AgentCpuCollector()
    began_s, burnt_s = time.monotonic(), time.process_time() + 0.1
    while time.process_time() < burnt_s:
        pass
    cores = collector.collect().gauges["agent_cpu_cores"]

    assert cores * (time.monotonic() - began_s) == pytest.approx(0.1, abs=0.02)


def test_each_reading_starts_from_the_one_before():
    collector = AgentCpuCollector()
    collector.collect()
    time.sleep(0.1)

    assert collector.collect().gauges["agent_cpu_cores"] < 0.3
