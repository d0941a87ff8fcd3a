"""Every kind of trouble becomes a reason that a person can act on."""

import psutil
import pytest

from capacity.monitor.readings import READ_ERRORS, reason_of


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            PermissionError(13, "denied", "/proc/1/fd"),
            "no permission to read /proc/1/fd: run the agent as",
        ),
        (psutil.AccessDenied(1), "no permission to read the process"),
        (ProcessLookupError(3, "No such process"), "ended while it was read"),
        (psutil.NoSuchProcess(1), "ended while it was read"),
        (FileNotFoundError(2, "No such file", "/proc/x"), "/proc/x does not exist here"),
        (OSError(5, "Input/output error", "/sys/y"), "Input/output error (/sys/y)"),
        (TimeoutError("timed out"), "timed out"),
        (ValueError("no entry Slab"), "not in the documented format: no entry Slab"),
    ],
)
def test_trouble_is_put_into_words(error, words):
    assert isinstance(error, READ_ERRORS)
    assert words in reason_of(error)


def test_a_defect_of_ours_is_no_reading_error():
    assert not isinstance(KeyError("used"), READ_ERRORS)
