import runpy
from pathlib import Path

import pytest

PLANTED = runpy.run_path(str(Path(__file__).with_name("planted_change.py")))


@pytest.fixture(scope="session")
def measured():
    """Return a run with its plan: seed, and by what it is dearer than another."""
    return PLANTED["measured"]


@pytest.fixture(scope="session")
def planted_record():
    return PLANTED["record"]
