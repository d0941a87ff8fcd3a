"""Whom clients connect to: a target that holds whatever comes, a venue that trades."""

import runpy
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1]
SMALL = runpy.run_path(str(FOLDER / "small_target.py"))
VENUE = runpy.run_path(str(FOLDER / "orders_venue.py"))


@pytest.fixture
def target():
    target = SMALL["SmallTarget"]()
    yield target
    target.close()


@pytest.fixture
def venue():
    venue = VENUE["Venue"]()
    yield venue
    venue.stop()
