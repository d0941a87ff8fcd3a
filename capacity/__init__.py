"""Connection-resource load tester and capacity planner.

    >>> from capacity import load_run, plan
    >>> answer = plan(load_run("reports/runs/20261127T042800Z-demo-safe"))

These names are for programs and notebooks (`capacity.notebook`); everything else may change.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from capacity.notebook import CapacityPlan, Excuse, RunRecord, load_run, plan

__all__ = ["CapacityPlan", "Excuse", "RunRecord", "__version__", "load_run", "plan"]
__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    """Import what a notebook asks for when it does: the agent's host has nothing but psutil."""
    if name not in __all__:
        raise AttributeError(f"module 'capacity' has no attribute {name!r}")
    found: object = getattr(importlib.import_module("capacity.notebook"), name)
    return found
