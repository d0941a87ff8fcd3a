"""Connection-resource load tester and capacity planner."""
