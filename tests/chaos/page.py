"""Writes what the campaign found, by kind of fault: `python tests/chaos/page.py`, reports/chaos/README.md."""

import json
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[2]


def written(outcomes):
    return ""
