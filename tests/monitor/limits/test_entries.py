"""The three things that an entry can say, each from what its reader did."""

import pytest

from capacity.domain.resources import LimitState, Scaling
from capacity.monitor.limits.entries import audited, failing


def entry(read):
    return audited(
        "x", read, unit="files", scope="host", source="/x", scales_with=Scaling.CONNECTIONS
    )


@pytest.mark.parametrize(
    ("read", "state", "value"),
    [
        (lambda: 7, LimitState.KNOWN, 7.0),
        (lambda: 0, LimitState.KNOWN, 0.0),
        (lambda: None, LimitState.UNLIMITED, None),
    ],
)
def test_what_was_read_is_known_or_there_is_no_limit(read, state, value):
    found = entry(read)

    assert (found.state, found.value, found.reason) == (state, value, None)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (PermissionError(13, "denied", "/x"), "run the agent as the target's user or as root"),
        (FileNotFoundError(2, "no", "/x"), "/x does not exist here"),
        (ValueError("odd"), "not in the documented format: odd"),
    ],
)
def test_what_could_not_be_read_is_unknown_and_says_what_would_help(error, words):
    found = entry(failing(error))

    assert (found.state, found.value) == (LimitState.UNKNOWN, None)
    assert words in found.reason


def test_a_defect_is_not_taken_for_an_unknown_limit():
    with pytest.raises(KeyError):
        entry(failing(KeyError("ours")))
