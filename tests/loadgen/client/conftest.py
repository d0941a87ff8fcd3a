"""What tests of traders have in common."""

import runpy
from pathlib import Path

import pytest

VENUE = runpy.run_path(str(Path(__file__).parents[1] / "orders_venue.py"))


@pytest.fixture
def venue():
    venue = VENUE["Venue"]()
    yield venue
    venue.stop()
