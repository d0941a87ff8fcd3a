"""What is locked is what the ranges allow, whole, hashed, and the same for demonstration and checks."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
PAIRS = {
    "requirements.txt": "requirements.lock",
    "tests/requirements.txt": "tests/requirements.lock",
    "tests/supply/requirements.txt": "tests/supply/requirements.lock",
}


def ranges(file):
    path = ROOT / file
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        text = line.partition("#")[0].strip()
        if text.startswith("-r "):
            found += ranges((path.parent / text[3:]).resolve().relative_to(ROOT))
        elif text:
            found.append(Requirement(text))
    return found


def locked(file):
    """Return the versions of each package, which may differ by Python's version; and its hashes."""
    text = (ROOT / file).read_text(encoding="utf-8").replace("\\\n", " ")
    versions, hashes = {}, {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            requirement = Requirement(line.split("--hash")[0].strip())
            [version] = (each.version for each in requirement.specifier)
            versions.setdefault(canonicalize_name(requirement.name), set()).add(version)
            hashes[requirement.name, version] = re.findall(r"--hash=sha256:[0-9a-f]{64}", line)
    return versions, hashes


@pytest.mark.parametrize("file", PAIRS)
def test_every_requirement_is_locked_to_what_its_range_allows(file):
    versions, _hashes = locked(PAIRS[file])
    wanted = ranges(file)

    assert wanted
    for requirement in wanted:
        found = versions[canonicalize_name(requirement.name)]
        assert found
        assert all(requirement.specifier.contains(version) for version in found), requirement


def test_what_is_installed_on_demand_is_tested_in_the_same_range():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    tested = {str(requirement) for requirement in ranges("tests/requirements.txt")}
    optional = project["optional-dependencies"]

    assert {"postgres", "signatures"} == optional.keys()
    assert {str(Requirement(each)) for extra in optional.values() for each in extra} <= tested


@pytest.mark.parametrize("file", PAIRS.values())
def test_everything_locked_has_hashes(file):
    _versions, hashes = locked(file)

    assert hashes
    assert [] == [package for package, known in hashes.items() if not known]


def test_the_checks_run_with_what_the_demonstration_runs_with():
    mine, _hashes = locked("requirements.lock")
    tests, _hashes = locked("tests/requirements.lock")

    assert mine == {name: tests[name] for name in mine}
