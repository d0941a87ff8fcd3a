import runpy
from pathlib import Path

import pytest

RECORDINGS = runpy.run_path(str(Path(__file__).with_name("recordings.py")))


@pytest.fixture(scope="session")
def session():
    """Return the recorded session of a venue."""
    return RECORDINGS["session"]


@pytest.fixture(scope="session")
def as_text():
    return RECORDINGS["as_text"]
