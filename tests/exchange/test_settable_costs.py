import time

import psutil

from capacity.exchange.settable_costs import burn_cpu, touched_memory

MIB = 1 << 20


def test_burning_ends_when_the_threads_clock_has_used_what_was_asked_for(monkeypatch):
    read_ns = []

    def thread_time_ns():
        read_ns.append(7_000_000 + 3_000_000 * len(read_ns))
        return read_ns[-1]

    monkeypatch.setattr(time, "thread_time_ns", thread_time_ns)
    burn_cpu(20_000)

    # Three milliseconds a look: 18 are too few, 21 are enough.
    assert 21_000_000 == read_ns[-1] - read_ns[0]


def test_burning_really_uses_the_processor():
    before_s = time.thread_time()
    burn_cpu(20_000)
    asked_s, used_s = 0.020, time.thread_time() - before_s

    assert asked_s <= used_s


def test_touched_memory_is_resident():
    before_bytes = psutil.Process().memory_info().rss
    state = touched_memory(32 * MIB)
    grown_bytes = psutil.Process().memory_info().rss - before_bytes

    assert len(state) == 32 * MIB
    assert 31 * MIB < grown_bytes < 34 * MIB


def test_no_state_takes_no_memory():
    assert touched_memory(0) == b""
