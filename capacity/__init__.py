"""Connection-resource load tester and capacity planner."""

__version__ = "0.1.0"
