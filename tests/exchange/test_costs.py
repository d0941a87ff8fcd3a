import time

import psutil

from capacity.exchange.costs import burn_cpu, touched_memory

MIB = 1 << 20


def test_burning_uses_the_cpu_time_asked_for():
    before_s = time.thread_time()
    burn_cpu(20_000)
    used_s = time.thread_time() - before_s

    assert 0.020 <= used_s < 0.025


def test_touched_memory_is_resident():
    before_bytes = psutil.Process().memory_info().rss
    state = touched_memory(32 * MIB)
    grown_bytes = psutil.Process().memory_info().rss - before_bytes

    assert len(state) == 32 * MIB
    assert 31 * MIB < grown_bytes < 34 * MIB


def test_no_state_takes_no_memory():
    assert touched_memory(0) == b""
