"""Locust patches sockets and TLS when it is imported: it must come before anything that uses them."""

import locust  # noqa: F401 - see above

import os
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).parent.parent
FUZZ_EXAMPLES = 12_000

# Time is no matter of properties; a slow machine must not fail them.
settings.register_profile("tests", deadline=None)
settings.register_profile("fuzz", deadline=None, max_examples=FUZZ_EXAMPLES, print_blob=True)
settings.load_profile(os.environ.get("CAPACITY_HYPOTHESIS_PROFILE", "tests"))


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture
def seconds():
    """Seconds that stretch on slow machines: CAPACITY_TEST_TIME_FACTOR=3."""
    factor = float(os.environ.get("CAPACITY_TEST_TIME_FACTOR", "1"))
    return lambda value: value * factor
