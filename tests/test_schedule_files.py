"""The files in config/schedule start commands that exist, in time, and never twice."""

import configparser
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest
import yaml

from capacity.cli.main import cli
from capacity.cli.scheduling import scheduled

SCHEDULE = Path(__file__).parents[1] / "config/schedule"


def systemd_unit(name):
    unit = configparser.ConfigParser(
        interpolation=None, strict=False, comment_prefixes=("#", ";"), delimiters=("=",)
    )
    unit.optionxform = str
    unit.read(SCHEDULE / name)
    return unit


def started_words():
    """Return the command line of each file, split into words."""
    cronjob = yaml.safe_load((SCHEDULE / "cronjob.yaml").read_text())
    (container,) = cronjob["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    (cron,) = [line for line in (SCHEDULE / "crontab").read_text().splitlines() if line[:1] != "#"]
    return {
        "service": systemd_unit("capacity-nightly.service")["Service"]["ExecStart"].split(),
        "crontab": cron.split()[-3:],
        "cronjob": [*container["command"], *container["args"]],
    }


@pytest.mark.parametrize("file", ["service", "crontab", "cronjob"])
def test_every_scheduler_starts_a_command_and_a_job_that_exist(file):
    program, name, job = started_words()[file]
    found = cli.get_command(click.Context(cli), name)

    assert Path(program).name == "capacity"
    assert found is scheduled.command
    assert (SCHEDULE / f"{job}.yaml").is_file()


def test_every_scheduler_gives_the_job_the_time_it_may_take():
    job = yaml.safe_load((SCHEDULE / "nightly.yaml").read_text())
    needed_s = job["max_duration_s"] + scheduled.GRACE_S
    cronjob = yaml.safe_load((SCHEDULE / "cronjob.yaml").read_text())
    service = systemd_unit("capacity-nightly.service")["Service"]

    assert int(service["TimeoutStartSec"]) > needed_s
    assert cronjob["spec"]["jobTemplate"]["spec"]["activeDeadlineSeconds"] > needed_s


def test_the_cronjob_never_runs_twice_at_once_and_never_again_after_a_failure():
    spec = yaml.safe_load((SCHEDULE / "cronjob.yaml").read_text())["spec"]

    assert spec["concurrencyPolicy"] == "Forbid"
    assert spec["jobTemplate"]["spec"]["backoffLimit"] == 0
    assert spec["jobTemplate"]["spec"]["template"]["spec"]["restartPolicy"] == "Never"


def test_all_schedulers_plan_the_same_moment():
    timer = systemd_unit("capacity-nightly.timer")["Timer"]
    service = systemd_unit("capacity-nightly.service")["Service"]
    cronjob = yaml.safe_load((SCHEDULE / "cronjob.yaml").read_text())

    assert timer["OnCalendar"] == "*-*-* 02:30:00"
    assert "date -d 02:30 " in service["ExecStartPre"]
    assert cronjob["spec"]["schedule"] == "30 2 * * *"
    assert "\n30 2 * * * " in (SCHEDULE / "crontab").read_text()


def test_systemd_finds_nothing_wrong_with_the_units(tmp_path):
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not installed")
    units = []
    for name in ("capacity-nightly.service", "capacity-nightly.timer"):
        # The program that the unit starts has to be there.
        text = (SCHEDULE / name).read_text()
        units.append(tmp_path / name)
        units[-1].write_text(text.replace("/opt/capacity/.venv/bin/capacity", sys.executable))
    verified = subprocess.run([analyze, "verify", *units], capture_output=True, check=False)

    assert (verified.returncode, verified.stderr.decode()) == (0, "")


def test_the_crontab_line_is_valid_shell():
    line = (SCHEDULE / "crontab").read_text().splitlines()[1]
    shell = line.split(maxsplit=5)[5].replace("\\%", "%")
    checked = subprocess.run(["sh", "-n", "-c", shell], capture_output=True, check=False)

    assert (checked.returncode, checked.stderr) == (0, b"")
