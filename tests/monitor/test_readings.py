"""Every kind of trouble becomes a reason that a person can act on."""

import psutil
import pytest

from capacity.monitor.readings import READ_ERRORS, of_each, reason_of


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


def read(pid):
    if pid < 0:
        raise PermissionError(13, "denied", f"/proc/{-pid}")
    if pid == 0:
        raise KeyError(pid)
    return 10 * pid


def test_what_could_not_be_read_of_some_processes_is_left_out():
    assert {1: 10, 2: 20} == of_each([1, -7, 2], read)


@pytest.mark.parametrize(
    ("pids", "raised"), [([-7, -8], PermissionError), ([], ProcessLookupError), ([1, 0], KeyError)]
)
def test_the_last_error_is_raised_where_none_could_be_read_and_another_one_at_once(pids, raised):
    with pytest.raises(raised) as caught:
        of_each(pids, read)

    assert raised is not PermissionError or caught.value.filename == "/proc/8"


def test_an_error_that_means_no_end_of_a_process_is_raised():
    with pytest.raises(PermissionError):
        of_each([1, -7], read, (ProcessLookupError,))
