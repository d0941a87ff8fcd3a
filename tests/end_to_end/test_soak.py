"""The soak of `make soak`, for seconds instead of an hour: what leaks per connection shows at once."""

import json
import subprocess
import sys

import pytest

pytestmark = [pytest.mark.end_to_end, pytest.mark.long, pytest.mark.xdist_group("trouble")]

MINUTES = 1 / 4
MOST_GROWTH_BYTES = 4 << 20
MOST_GROWTH_DESCRIPTORS = 20
"""Handshakes under way hold some; a leak would hold one for each connection reopened."""


def test_connections_that_come_and_go_leave_nothing_behind(root):
    program = root / "tests" / "benchmarks" / "soak.py"
    answer = subprocess.run(
        [sys.executable, program, str(MINUTES)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert 0 == answer.returncode, answer.stderr
    figures = json.loads(answer.stdout)

    assert figures["reopened"] > 400
    assert figures["deliveries"] > 1000
    assert (0, {}) == (figures["lost"], figures["failures"])
    assert figures["grown_bytes"] < MOST_GROWTH_BYTES
    assert abs(figures["grown_descriptors"]) < MOST_GROWTH_DESCRIPTORS
