"""Records as the workers send them."""

import pytest

EMPTY_REPORT = {
    "index": 0,
    "phase": "plateau",
    "seconds": 1.0,
    "deliveries": 0,
    "delivered_bytes": 0,
    "requests": 0,
    "connects": 0,
    "lost": 0,
    "gaps": 0,
    "unmatched": 0,
    "untimed": 0,
    "failures": {},
    "histograms": {},
    "is_final": False,
    "gauges": {
        "open_connections": 0,
        "users": 0,
        "cpu_ratio": 0.1,
        "descriptors_ratio": 0.01,
        "pid": 1,
    },
}


@pytest.fixture
def report():
    return lambda **changes: {**EMPTY_REPORT, **changes}
