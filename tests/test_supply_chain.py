"""What the program is made of: locked with hashes where it is installed, listed, audited without excuse."""

import re
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MAKEFILE = (ROOT / "Makefile").read_text()
AUDIT = runpy.run_path(str(ROOT / "tests/supply/audit.py"))
FINE = {"name": "one", "version": "1.0", "vulns": []}
BAD = {"name": "two", "version": "2.0", "vulns": [{"id": "PYSEC-1"}]}
UNKNOWN = {"name": "three", "skip_reason": "Dependency not found on PyPI"}


def recipe(target):
    found = re.search(rf"^{re.escape(target)}:.*\n((?:\t.*\n)+)", MAKEFILE, flags=re.MULTILINE)
    assert found is not None, target
    return found[1]


@pytest.mark.parametrize(
    ("target", "lock"),
    [
        ("$(VENV)/.installed", "requirements.lock"),
        ("$(VENV)/.tested", "tests/requirements.lock"),
        ("$(VENV)-supply/.installed", "$<"),
    ],
)
def test_what_is_installed_is_locked_with_hashes(target, lock):
    assert f"--require-hashes -r {lock}" in recipe(target)


def test_demonstration_and_checks_install_from_the_locks():
    assert "demo: $(VENV)/.installed" in MAKEFILE
    assert "test: $(VENV)/.tested" in MAKEFILE
    assert re.search(r"\b(make|check) test\b", (ROOT / ".ci/run").read_text())


def test_the_list_of_components_is_of_the_lock_and_validated():
    assert "cyclonedx_py requirements requirements.lock" in recipe("sbom")
    assert "--validate" in recipe("sbom")


def test_a_wheel_is_built_at_the_time_of_its_commit_with_a_locked_builder():
    assert "SOURCE_DATE_EPOCH=$(WHEEL_TIME) $(SUPPLY) -m pip wheel" in recipe("wheel")
    assert "--no-build-isolation" in recipe("wheel")
    lock = (ROOT / "tests/supply/requirements.lock").read_text()
    assert re.search(r"^setuptools==.*\n +--hash=sha256:", lock, re.MULTILINE)


@pytest.mark.parametrize(
    ("answers", "code", "said"),
    [
        ([("osv", [FINE])], 0, "1 packages looked up at osv, none known"),
        ([("osv", "no route"), ("pypi", [FINE])], 0, "looked up at pypi, none known"),
        ([("osv", [FINE, BAD])], 1, "known vulnerabilities: two 2.0 (PYSEC-1)"),
        ([("osv", "no route"), ("pypi", [UNKNOWN, BAD])], 1, "two 2.0 (PYSEC-1)"),
        ([("osv", "no route"), ("pypi", [UNKNOWN, FINE])], 3, "pypi does not know 1 of 2 packages"),
        (
            [("osv", "no route"), ("pypi", "neither")],
            3,
            "not audited (osv: no route; pypi: neither)",
        ),
        ([("osv", [])], 3, "osv does not know 0 of 0 packages"),
    ],
)
def test_only_what_was_looked_up_is_called_free_of_known_vulnerabilities(answers, code, said):
    found, sentence = AUDIT["verdict"]("some.lock", answers)

    assert code == found
    assert said in sentence
    assert "\n" not in sentence


def test_a_lock_that_is_not_there_was_not_audited(tmp_path, capsys):
    assert AUDIT["NOT_ASKED"] == AUDIT["main"]([str(tmp_path / "no.lock")])
    assert "not audited (no such file)" in capsys.readouterr().out
