"""Every way in which a measurement can have ended."""

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from capacity.cli.measure import _raise_unless_finished
from capacity.cli.running.children import Child
from capacity.domain.errors import (
    CapacityError,
    ConfigError,
    GuardError,
    PreflightError,
    RunInvalidError,
    UnreachableError,
)
from capacity.domain.run import RunEvent
from capacity.recording.ending import RunEnding, write_ending
from capacity.recording.run_directory import RunWriter


@pytest.fixture(name="ended")
def fixture_ended(tmp_path):
    """Return a child that ended as its script says."""

    def ended(script="print('that was it')"):
        child = Child("load generator", ["-c", script], tmp_path / "run" / "locust.log")
        child.process.wait()
        return child

    return ended


@pytest.fixture(name="record")
def fixture_record(tmp_path, bare_manifest):
    """Write a record that ends in one event, or in none."""

    def record(kind=None, steps=(), **detail) -> Path:
        writer = RunWriter(tmp_path / "run", bare_manifest)
        for step in steps:
            writer.append_step(step)
        if kind is not None:
            writer.append_event(RunEvent(at=1.0, kind=kind, detail=detail))
        return writer.path

    return record


@pytest.mark.parametrize(
    ("exit_code", "error"),
    [
        (4, UnreachableError),
        (5, RunInvalidError),
        (12, GuardError),
        (130, RunInvalidError),
        (1, RunInvalidError),
    ],
)
def test_an_aborted_run_says_why_with_the_exit_code_of_its_cause(ended, record, exit_code, error):
    run = record("aborted", reason="the target left", exit_code=exit_code)

    with pytest.raises(error, match=r"run: the target left$") as caught:
        _raise_unless_finished(run, ended())
    assert type(caught.value) is error


def test_a_finished_run_passes_on_what_it_found(ended, record, capsys):
    _raise_unless_finished(record("finished", reason="admitted no more"), ended())

    assert capsys.readouterr() == ("", "admitted no more\n")


def test_a_finished_run_without_remarks_is_silent(ended, record, capsys):
    _raise_unless_finished(record("finished"), ended())

    assert capsys.readouterr() == ("", "")


def test_a_run_of_which_no_loaded_step_is_of_use_is_invalid(ended, record, bare_step):
    idle = replace(bare_step, connections_peak=0)
    void = replace(bare_step, index=1, void="the generator was saturated")

    with pytest.raises(RunInvalidError, match=r"every step .* void, .* was saturated$"):
        _raise_unless_finished(record("finished", steps=[idle, void]), ended())


def test_a_run_with_one_step_of_use_is_a_run(ended, record, bare_step, capsys):
    void = replace(bare_step, index=1, void="a worker was lost")
    _raise_unless_finished(record("finished", steps=[bare_step, void]), ended())

    assert capsys.readouterr() == ("", "")


def test_a_generator_that_was_killed_is_told_from_one_that_gave_up(ended, record):
    run = record("phase", index=0)

    with pytest.raises(RunInvalidError, match=r"was killed by SIGKILL .* 0 finished steps"):
        _raise_unless_finished(run, ended("import os; os.kill(os.getpid(), 9)"))
    with pytest.raises(RunInvalidError, match="exited early"):
        _raise_unless_finished(run, ended())


def test_a_generator_that_found_no_room_any_more_says_so(ended, record):
    run = record("phase", index=0)
    child = ended()
    subprocess.run(["mount", "--bind", str(run), str(run)], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", str(run)], check=True)
        with pytest.raises(
            RunInvalidError, match=r"nothing more there \(Read-only file system; make"
        ):
            _raise_unless_finished(run, child)
    finally:
        subprocess.run(["umount", str(run)], check=True)


def test_a_generator_that_was_killed_before_it_began_is_told_by_its_signal(ended, tmp_path):
    with pytest.raises(RunInvalidError, match=r"was killed by SIGKILL before its first connection"):
        _raise_unless_finished(tmp_path / "run", ended("import os; os.kill(os.getpid(), 9)"))


@pytest.mark.parametrize(
    ("exit_code", "error"),
    [(2, ConfigError), (3, PreflightError), (4, UnreachableError), (1, CapacityError)],
)
def test_a_generator_that_refused_to_begin_is_passed_on_with_its_exit_code(
    ended, tmp_path, exit_code, error
):
    child = ended("print('whatever the log says')")
    write_ending(tmp_path / "run", RunEnding(error="AnError", exit_code=exit_code, reason="no way"))

    with pytest.raises(CapacityError, match=r"^no way$") as caught:
        _raise_unless_finished(tmp_path / "run", child)
    assert type(caught.value) is error


def test_a_generator_that_never_began_is_quoted(ended, tmp_path):
    with pytest.raises(CapacityError, match=r"before its first connection: no such option \(log:"):
        _raise_unless_finished(tmp_path / "run", ended("import sys; sys.exit('no such option')"))


def test_a_run_directory_that_somebody_removed_meanwhile_is_told_in_a_sentence(ended, tmp_path):
    child = ended()
    child.log.unlink()

    with pytest.raises(RunInvalidError, match="it was removed while the load generator wrote"):
        _raise_unless_finished(tmp_path / "run", child)


LOGGED = "[2026-11-27 14:10:58,598] vm/ERROR/capacity.loadgen.master.session: no room\nName  # reqs\n----\n"


def test_where_nothing_but_the_log_could_be_written_the_error_is_read_there(ended, tmp_path):
    with pytest.raises(ConfigError, match=r"before its first connection: no room \(log: "):
        _raise_unless_finished(
            tmp_path / "run", ended(f"import sys; print({LOGGED!r}); sys.exit(2)")
        )


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount")
def test_where_not_even_the_log_could_be_written_that_is_said(ended, tmp_path):
    child = ended("import sys; sys.exit(2)")
    mount = ["mount", "-t", "tmpfs", "-o", "size=4k,ro", "tmpfs", str(tmp_path / "run")]
    subprocess.run(mount, check=True)
    try:
        child.log = tmp_path / "empty.log"
        child.log.touch()
        with pytest.raises(ConfigError, match=r"nothing can be written there \(Read-only file sys"):
            _raise_unless_finished(tmp_path / "run", child)
    finally:
        subprocess.run(["umount", str(tmp_path / "run")], check=True)
