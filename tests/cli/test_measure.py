"""Short real runs against the bundled exchange, and every way in which a run can have ended."""

import os
import socket
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from capacity.cli import measure as measuring
from capacity.cli.measure import _raise_unless_finished, command, measure
from capacity.cli.running import locust_command
from capacity.cli.running.children import Child, running
from capacity.cli.running.locust_command import MasterAddress
from capacity.domain.errors import (
    CapacityError,
    ConfigError,
    GuardError,
    LockedError,
    PreflightError,
    RunInvalidError,
    UnreachableError,
)
from capacity.domain.run import RunEvent
from capacity.recording.ending import RunEnding, read_ending, write_ending
from capacity.recording.lock import locked
from capacity.recording.lock_place import place_of_locks
from capacity.recording.run_directory import RunWriter, is_run, load
from capacity.settings.target import load_target

PROFILE = {
    "profile": 1,
    "name": "tiny",
    "kind": "ramp",
    "levels": [4],
    "connects_per_s": 100,
    "settle_s": 0.1,
    "plateau_s": 1,
    "ramp_timeout_s": 10,
    "mix": {"subscriptions_per_connection": 1, "requests_per_s_per_connection": 0},
}


@pytest.fixture(name="target", scope="module")
def fixture_target(tmp_path_factory):
    """The file of a target that listens: an exchange without an agent."""
    folder = tmp_path_factory.mktemp("target")
    argv = ["-m", "capacity.cli.main", "exchange", "--port", "0"]
    with running("exchange", argv, folder / "exchange.log") as exchange:
        port = int(exchange.wait_ready("exchange ready on ").rpartition(":")[2])
        settings = {
            "target": 1,
            "name": "here",
            "host": "127.0.0.1",
            "port": port,
            "dialect": "deribit",
            "symbols": ["BTC-PERPETUAL"],
            "channels": ["ticker"],
        }
        target = folder / "target.yaml"
        target.write_text(yaml.safe_dump(settings))
        yield target


@pytest.fixture(name="profile")
def fixture_profile(tmp_path):
    path = tmp_path / "tiny.yaml"
    path.write_text(yaml.safe_dump(PROFILE))
    return path


def test_it_prints_the_directory_of_the_run_and_nothing_else(target, profile, tmp_path):
    run = tmp_path / "run"
    arguments = ["--target", str(target), "--profile", str(profile), "--run", str(run)]
    result = CliRunner().invoke(command, arguments)
    record = load(run)

    assert (result.exit_code, result.stdout) == (0, f"{run}\n")
    assert "step 2 of 2, plateau: 4 connections" in result.stderr
    assert [round(step.load.connections) for step in record.steps] == [0, 4]
    assert record.missing == ()


def test_a_run_that_takes_too_long_is_ended_in_order(target, profile, tmp_path, seconds):
    run, limit_s = tmp_path / "run", seconds(10)
    profile.write_text(yaml.safe_dump(PROFILE | {"plateau_s": 6 * limit_s}))
    with pytest.raises(GuardError, match=f"stopped after {limit_s:.0f} s"):
        measure(target, profile, workers=1, run=run, timeout_s=limit_s, quiet=True)

    assert load(run).events[-1].kind == "aborted"


def test_what_is_kept_is_told_also_where_a_second_ctrl_c_ends_the_patience(
    target, profile, tmp_path, monkeypatch, capsys
):
    run, stop = tmp_path / "run", Child.stop

    def interrupted(*_given):
        while not is_run(run):
            time.sleep(0.05)
        raise KeyboardInterrupt

    def impatient(child, first):
        stop(child, first)
        raise KeyboardInterrupt

    monkeypatch.setattr(measuring, "watch", interrupted)
    monkeypatch.setattr(Child, "stop", impatient)
    with pytest.raises(KeyboardInterrupt):
        measure(target, profile, workers=1, run=run)

    assert f"what was recorded is kept: capacity plan {run}" in capsys.readouterr().err


def test_a_run_that_is_there_is_refused_before_the_target_is_asked(profile, tmp_path, target):
    settings = yaml.safe_load(target.read_text()) | {"port": 1}
    unreachable = tmp_path / "target.yaml"
    unreachable.write_text(yaml.safe_dump(settings))
    (tmp_path / "run.json").touch()

    with pytest.raises(PreflightError, match="choose another directory"):
        measure(unreachable, profile, workers=1, run=tmp_path)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--workers", "2", "--expect-workers", "2"], "use one of them"),
        (["--bind", "127.0.0.1"], "set their number with --expect-workers"),
        (["--expect-workers", "2", "--bind", "everywhere:all"], "no ADDRESS or ADDRESS:PORT"),
    ],
)
def test_options_for_workers_here_and_elsewhere_are_not_mixed(target, profile, options, said):
    arguments = ["--target", str(target), "--profile", str(profile), *options]
    result = CliRunner().invoke(command, arguments)

    assert isinstance(result.exception, ConfigError)
    assert said in str(result.exception)


def test_workers_that_do_not_come_are_no_reason_to_wait_for_ever(
    target, profile, tmp_path, monkeypatch
):
    monkeypatch.setattr(locust_command, "FAR_WORKERS_TIMEOUT_S", 1)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        master = MasterAddress(address="127.0.0.1", port=probe.getsockname()[1])

    with pytest.raises(PreflightError, match="the remote workers did not connect in time"):
        measure(target, profile, workers=1, master=master, run=tmp_path / "run", quiet=True)
    assert not (tmp_path / "run" / "run.json").exists()


# How a run can have ended -----------------------------------------------------------------------


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


def test_what_an_earlier_try_ended_with_is_not_taken_for_this_ones(target, profile, tmp_path):
    run = tmp_path / "run"
    write_ending(run, RunEnding(error="PreflightError", exit_code=3, reason="long ago"))
    measure(target, profile, workers=1, run=run, quiet=True)

    assert read_ending(run) is None
    assert is_run(run)


def test_a_generator_that_never_began_is_quoted(ended, tmp_path):
    with pytest.raises(CapacityError, match=r"before its first connection: no such option \(log:"):
        _raise_unless_finished(tmp_path / "run", ended("import sys; sys.exit('no such option')"))


def test_a_target_is_measured_by_one_run_at_a_time(target, profile, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = load_target(target)
    with (
        locked(place_of_locks(), f"localhost:{settings.port}", run="nightly"),
        pytest.raises(LockedError, match="is busy: run nightly by pid"),
    ):
        measure(target, profile, workers=1, run=tmp_path / "run")

    assert not is_run(tmp_path / "run")


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
