"""The settable costs of the exchange: memory per connection, CPU per delivered update."""

import time


def touched_memory(size_bytes: int) -> bytearray:
    """Return *size_bytes* of memory whose pages are really backed.

    Filled, because zeroed memory would stay unbacked until it is written.
    """
    return bytearray(b"\x01") * size_bytes


def burn_cpu(duration_us: float) -> None:
    """Use *duration_us* of this thread's CPU time, however long that takes on the wall clock."""
    until_ns = time.thread_time_ns() + round(duration_us * 1_000)
    while time.thread_time_ns() < until_ns:
        pass
