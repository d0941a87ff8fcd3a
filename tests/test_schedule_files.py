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
from capacity.cli.scheduling.time_limit import GRACE_S

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
    needed_s = job["max_duration_s"] + GRACE_S
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


def test_kubernetes_accepts_the_cronjob_and_would_refuse_a_mistake(refused_by_kubernetes):
    manifest = yaml.safe_load((SCHEDULE / "cronjob.yaml").read_text())
    mistaken = {**manifest, "spec": {**manifest["spec"], "concurrencyPolice": "Forbid"}}

    assert refused_by_kubernetes(manifest) is None
    assert "concurrencyPolice" in refused_by_kubernetes(mistaken)


def workflow_problems(path):
    """Return what GitHub's schema for workflows refuses of a file; the schema comes with the checker."""
    checker = [sys.executable, "-m", "check_jsonschema"]
    done = subprocess.run(
        [*checker, "--builtin-schema", "vendor.github-workflows", path],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    return (done.returncode, done.stdout + done.stderr)


def test_github_accepts_the_workflow(tmp_path):
    code, told = workflow_problems(SCHEDULE / "github-workflow.yaml")
    broken = tmp_path / "broken.yaml"
    text = (SCHEDULE / "github-workflow.yaml").read_text()
    broken.write_text(text.replace("timeout-minutes: 17", "timeout_minutes: 17"))

    assert (code, "ok" in told) == (0, True)
    assert workflow_problems(broken)[0] == 1


def test_the_workflow_fails_where_the_command_does_and_its_scripts_are_valid_shell():
    workflow = yaml.safe_load((SCHEDULE / "github-workflow.yaml").read_text())
    job = workflow["jobs"]["measure"]
    for step in job["steps"]:
        script = step["run"].replace("${{", "").replace("}}", "")
        checked = subprocess.run(["bash", "-n", "-c", script], capture_output=True, check=False)

        assert (checked.returncode, checked.stderr) == (0, b"")
    # Without a shell named, GitHub's has no pipefail: what `tee` says would count.
    assert job["defaults"]["run"]["shell"] == "bash"
    assert (
        job["timeout-minutes"] * 60
        > yaml.safe_load((SCHEDULE / "nightly.yaml").read_text())["max_duration_s"] + GRACE_S
    )


def test_the_crontab_line_is_valid_shell():
    line = (SCHEDULE / "crontab").read_text().splitlines()[1]
    shell = line.split(maxsplit=5)[5].replace("\\%", "%")
    checked = subprocess.run(["sh", "-n", "-c", shell], capture_output=True, check=False)

    assert (checked.returncode, checked.stderr) == (0, b"")
