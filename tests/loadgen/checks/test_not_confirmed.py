"""What is said of channels that are confirmed one by one, and not together."""

import pytest

from capacity.loadgen.checks.not_confirmed import NotConfirmedError


@pytest.mark.parametrize(("asked", "taken"), [(3, " (2 here)"), (1, "")])
def test_a_cap_is_told_with_what_was_taken(asked, taken):
    said = NotConfirmedError("no", "ws://x/", "limit", ["c"]).as_cap(asked)

    assert f"does not take {asked} subscriptions of one connection (limit)" in said
    assert f"to what it takes{taken}, or raise its cap" in said
