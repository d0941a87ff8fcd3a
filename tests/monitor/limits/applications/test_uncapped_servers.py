"""Servers without a cap say so, and name what was not looked at."""

import pytest


@pytest.mark.parametrize("name", ["caddy", "traefik"])
def test_they_leave_the_question_open_whether_something_behind_them_caps(made, name):
    (entry,) = made.entries(f"/usr/bin/{name}", "run")

    assert (entry.value, entry.resource) == (None, None)
    assert entry.source.endswith(("not looked for", "has none"))
