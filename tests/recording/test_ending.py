import pytest

from capacity.domain.errors import PreflightError
from capacity.recording.ending import (
    ENDING_FILE,
    RunEnding,
    ending_of,
    forget_ending,
    read_ending,
    write_ending,
)

ERROR = PreflightError("no descriptors left; raise the limit")


def test_an_ending_survives_the_way_to_another_process(tmp_path):
    run = tmp_path / "not-yet" / "run"
    write_ending(run, ending_of(ERROR))

    assert read_ending(run) == RunEnding(
        error="PreflightError", exit_code=3, reason="no descriptors left; raise the limit"
    )
    assert [path.name for path in run.iterdir()] == [ENDING_FILE]


@pytest.mark.parametrize("text", [None, "", "{", "[]", "{}", '{"error": "E", "exit_code": "x"}'])
def test_what_is_no_ending_says_nothing(tmp_path, text):
    if text is not None:
        (tmp_path / ENDING_FILE).write_text(text)

    assert read_ending(tmp_path) is None


def test_the_ending_of_an_earlier_try_is_forgotten(tmp_path):
    write_ending(tmp_path, ending_of(ERROR))
    forget_ending(tmp_path)
    forget_ending(tmp_path)

    assert read_ending(tmp_path) is None


def test_a_disk_that_takes_nothing_hides_no_other_error(tmp_path):
    (tmp_path / "file").touch()
    write_ending(tmp_path / "file" / "run", ending_of(ERROR))

    assert (tmp_path / "file").is_file()
