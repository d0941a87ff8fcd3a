"""What the programs of `make mutants` define, for their tests."""

import runpy
import sys
from pathlib import Path

HERE = Path(__file__).parent
NAMES = ("mutations", "nearby_tests", "changed_tree", "mutant_verdicts", "mutants")


def parts():
    """Return the names of the programs as `make mutants` runs them, together."""
    before = set(sys.modules)
    sys.path.insert(0, str(HERE))
    try:
        return {k: v for name in NAMES for k, v in runpy.run_path(str(HERE / f"{name}.py")).items()}
    finally:
        sys.path.remove(str(HERE))
        for name in {*NAMES} - before:
            sys.modules.pop(name, None)
