"""V8's choice by the memory, as Node 20 told it in containers of these sizes."""

import pytest

from capacity.monitor.limits.v8_heap import MIB, old_space_bytes, semi_space_bytes


@pytest.mark.parametrize(
    ("memory_mib", "old_mib", "semi_mib"),
    [
        (64, 256, 1),
        (512, 256, 1),
        (514, 257, 4),
        (1024, 512, 4),
        (1026, 513, 8),
        (2048, 1024, 8),
        (3000, 1500, 16),
        (4096, 2048, 16),
        (14847, 2048, 16),
        (14848, 4096, 16),
        (65536, 4096, 16),
    ],
)
def test_v8_takes_half_of_the_memory_within_bounds(memory_mib, old_mib, semi_mib):
    assert old_space_bytes(memory_mib * MIB) == old_mib * MIB
    assert semi_space_bytes(memory_mib * MIB) == semi_mib * MIB
