"""The files around the program start what exists, and say what is so."""

import re
import shlex
from pathlib import Path

import pytest
import yaml

import capacity

ROOT = Path(__file__).parent.parent
WORKFLOW = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())
HOOKS = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
CHANGELOG = (ROOT / "CHANGELOG.md").read_text()
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))


def lines_of(job):
    return [step["run"] for step in WORKFLOW["jobs"][job]["steps"] if "run" in step]


def test_the_workflow_runs_what_a_person_would():
    assert "bash .ci/run" in lines_of("checks")
    assert (ROOT / ".ci" / "run").is_file()


def test_the_workflow_tries_the_wheel_where_the_checks_do_not():
    told = "\n".join(lines_of("wheel"))
    tested = WORKFLOW["jobs"]["wheel"]["strategy"]["matrix"]["python"]

    assert all(isinstance(version, str) for version in tested), "3.10 is a number and 3.1"
    assert "3.11" not in tested
    assert all(file in told for file in ("requirements.lock", "dist/*.whl", "capacity init"))


def test_the_hooks_are_the_checks_of_make_test():
    made = (ROOT / "Makefile").read_text()
    recipe = made[made.index("\ntest:") :].split("\n\n", 1)[0]
    checks = re.findall(r"\$\(VENV\)/bin/([\w-]+)", recipe)

    hooked = {Path(shlex.split(hook["entry"])[0]).name for hook in HOOKS}
    assert set(checks) == hooked


def test_every_target_is_a_command_and_no_file():
    phony = (ROOT / "Makefile").read_text().rpartition(".PHONY:")[2].split()

    assert TARGETS == set(phony)


def test_the_changelog_tells_of_this_version_or_of_none():
    released = re.findall(r"^## \[?(\d+\.\d+\.\d+)", CHANGELOG, flags=re.MULTILINE)

    assert "## Unreleased" in CHANGELOG
    assert not released or capacity.__version__ == released[0]


@pytest.mark.parametrize("name", [path.name for path in ROOT.glob(".github/ISSUE_TEMPLATE/*.md")])
def test_every_issue_template_has_a_name_and_says_what_it_is_about(name):
    _empty, head, body = (ROOT / ".github/ISSUE_TEMPLATE" / name).read_text().split("---\n", 2)
    keys = yaml.safe_load(head)

    assert keys["name"]
    assert keys["about"]
    assert body.strip()


def test_version_and_package_agree():
    declared = re.search(r'^version = "(.*)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)

    assert declared is not None
    assert capacity.__version__ == declared[1]
