"""Locust patches sockets and TLS when it is imported: it must come before anything that uses them."""

import locust  # noqa: F401 - see above

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture
def seconds():
    """Seconds that stretch on slow machines: CAPACITY_TEST_TIME_FACTOR=3."""
    factor = float(os.environ.get("CAPACITY_TEST_TIME_FACTOR", "1"))
    return lambda value: value * factor
