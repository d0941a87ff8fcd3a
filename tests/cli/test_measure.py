"""Short real runs against the bundled exchange."""

import socket
import time

import pytest
import yaml
from click.testing import CliRunner

from capacity.cli import measure as measuring
from capacity.cli.measure import command, measure
from capacity.cli.running import locust_command
from capacity.cli.running.children import Child, running
from capacity.cli.running.locust_command import MasterAddress
from capacity.domain.errors import (
    ConfigError,
    GuardError,
    LockedError,
    PreflightError,
)
from capacity.recording.ending import RunEnding, read_ending, write_ending
from capacity.recording.lock import locked
from capacity.recording.lock_place import place_of_locks
from capacity.recording.run_directory import is_run, load
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


def test_what_an_earlier_try_ended_with_is_not_taken_for_this_ones(target, profile, tmp_path):
    run = tmp_path / "run"
    write_ending(run, RunEnding(error="PreflightError", exit_code=3, reason="long ago"))
    measure(target, profile, workers=1, run=run, quiet=True)

    assert read_ending(run) is None
    assert is_run(run)


def test_a_target_is_measured_by_one_run_at_a_time(target, profile, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = load_target(target)
    with (
        locked(place_of_locks(), f"localhost:{settings.port}", run="nightly"),
        pytest.raises(LockedError, match="is busy: run nightly by pid"),
    ):
        measure(target, profile, workers=1, run=tmp_path / "run")

    assert not is_run(tmp_path / "run")
