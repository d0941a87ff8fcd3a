"""The wheel as its users get it: built, installed where no checkout is near, and used.

What it depends on comes from the environment of the tests, but for the agent, which has psutil alone.
"""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from hashlib import sha256
from pathlib import Path
from sysconfig import get_path

import pytest

pytestmark = [pytest.mark.end_to_end, pytest.mark.long, pytest.mark.xdist_group("wheel")]
SOURCES = ("capacity", "config", "locustfiles", "setup.py", "pyproject.toml", "README.md")
FILES = ("MANIFEST.in", "requirements.txt", "LICENSE")
VERSIONS = ((3, 11), (3, 12), (3, 13))
TIMEOUT_S = 240


def run(*command, **options):
    return subprocess.run(
        [str(word) for word in command],
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT_S,
        **options,
    )


def succeed(*command, **options):
    ended = run(*command, **options)
    assert 0 == ended.returncode, f"{command}:\n{ended.stdout[-2000:]}\n{ended.stderr[-2000:]}"
    return ended.stdout


@pytest.fixture(scope="module")
def wheel(root, tmp_path_factory):
    return built(root, tmp_path_factory.mktemp("wheel") / "source", mode=0o644, at_s=1_700_000_000)


def built(root, source, *, mode, at_s):
    """Build from a copy: pip builds in place, and would leave build/ in the checkout."""
    source.mkdir(parents=True)
    for name in (*SOURCES, *FILES):
        if (root / name).is_dir():
            shutil.copytree(
                root / name, source / name, ignore=shutil.ignore_patterns("__pycache__")
            )
        else:
            shutil.copy2(root / name, source)
    for path in source.rglob("*"):
        if path.is_file():
            path.chmod(mode)
        os.utime(path, (at_s, at_s))
    folder = source.parent / "wheel"
    options = ("--no-deps", "--disable-pip-version-check", "-w", folder)
    # What builds it is installed anew each time, and used once.
    environment = {**os.environ, "SOURCE_DATE_EPOCH": "1600000000", "PIP_NO_COMPILE": "1"}
    succeed(sys.executable, "-m", "pip", "wheel", *options, source, env=environment)
    [wheel] = folder.glob("capacity-*.whl")
    return wheel


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """Return the programs' folder of a fresh environment that sees our dependencies, not our code."""
    folder = tmp_path_factory.mktemp("user") / "venv"
    succeed(sys.executable, "-m", "venv", "--without-pip", folder)
    python = folder / "bin" / "python"
    succeed(*(sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", wheel))
    [packages] = folder.glob("lib/python*/site-packages")
    (packages / "dependencies.pth").write_text(f"{get_path('purelib')}\n")
    return folder / "bin"


@pytest.fixture
def empty(tmp_path, monkeypatch):
    """Stand in an empty folder, without a way back to the checkout."""
    monkeypatch.delenv("PYTHONPATH", raising=False)
    folder = tmp_path / "empty"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def test_the_demonstration_runs_from_an_empty_folder(installed, empty):
    ended = run(
        *(installed / "capacity", "demo", "--profile", "quick", "--descriptor-limit", "2048")
    )
    [plan] = empty.glob("reports/runs/*/plan.json")
    answer = json.loads(plan.read_text())["plan"]

    assert 0 == ended.returncode, ended.stderr[-4000:]
    assert "file descriptors" in ended.stdout
    # The profile is too short to tell which of several comes first on a busy machine.
    [descriptors] = [wall for wall in answer["ladder"] if wall["resource"] == "descriptors"]
    assert 2048 == pytest.approx(descriptors["ceiling"]["mid"], rel=0.1)
    assert (plan.parent / "report.html").is_file()


def test_a_wheel_is_the_same_bytes_wherever_and_whenever_it_is_built(wheel, root, tmp_path):
    elsewhere = tmp_path / "another" / "path" / "source"
    again = built(root, elsewhere, mode=0o664, at_s=1_750_000_000)

    assert wheel.name == again.name
    assert sha256(wheel.read_bytes()).digest() == sha256(again.read_bytes()).digest()


def test_what_is_shipped_is_laid_out_to_be_edited_and_found_first(installed, empty):
    written = succeed(installed / "capacity", "init").splitlines()
    assert {"config/targets/demo.yaml", "config/README.md", "locustfiles/load_profile.py"} <= {
        *written
    }

    again = run(installed / "capacity", "init")
    assert (2, "") == (again.returncode, again.stdout)
    assert again.stderr.startswith("capacity: config: is there already")

    Path("config/targets/mine.yaml").write_text("target: 1\n")
    mine = run(installed / "capacity", "measure", "--target", "mine")
    assert 2 == mine.returncode
    assert mine.stderr.startswith("capacity: config/targets/mine.yaml:1: ")


def test_an_unknown_name_says_both_places(installed, empty):
    ended = run(installed / "capacity", "doctor", "--target", "nope")

    assert 2 == ended.returncode
    assert re.search(
        r"config/targets has no 'nope', nor has /.*/site-packages/capacity/data/config/targets, ",
        ended.stderr,
    )


def test_the_web_page_starts_as_the_readme_says(installed, empty):
    succeed(installed / "capacity", "init")
    log = empty / "locust.log"
    # The file's own ports may be somebody else's just now.
    web, workers = free_port(), free_port()
    command = [installed / "python", "-m", "locust", "--config", "config/locust.conf"]
    ports = ["--web-port", web, "--master-bind-port", workers, "--master-port", workers]
    with (
        log.open("w") as output,
        subprocess.Popen([*map(str, (*command, *ports))], stderr=output) as locust,
    ):
        try:
            page = eventually(lambda: fetched(f"http://127.0.0.1:{web}/"), log)
        finally:
            locust.send_signal(signal.SIGINT)
            locust.wait(30)

    assert "capacity_target" in page


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def eventually(answer_of, log, timeout_s=60):
    deadline_s = time.monotonic() + timeout_s
    while time.monotonic() < deadline_s:
        if answer := answer_of():
            return answer
        time.sleep(0.1)
    pytest.fail(f"not within {timeout_s} s: {log.read_text()[-2000:]}")


def fetched(url):
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.read().decode()
    except (OSError, urllib.error.URLError):
        return None


def python_of(major, minor):
    """Return an interpreter of that version that can make environments, or None."""
    name = f"python{major}.{minor}"
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for candidate in (name, *pyenv.glob(f"{major}.{minor}.*/bin/{name}")):
        if (
            shutil.which(candidate)
            and not run(candidate, "-c", "import ensurepip, venv").returncode
        ):
            return candidate
    return None


@pytest.mark.parametrize(("major", "minor"), VERSIONS)
def test_the_agent_needs_nothing_but_psutil(wheel, empty, tmp_path, major, minor):
    python = python_of(major, minor)
    if python is None:
        pytest.skip(f"no Python {major}.{minor} with venv on this machine")
    succeed(python, "-m", "venv", "--without-pip", tmp_path / "host")
    there = ("--python", tmp_path / "host/bin/python", "--disable-pip-version-check")
    pip = (sys.executable, "-m", "pip", *there)
    succeed(*pip, "install", "--no-deps", wheel, "psutil")
    names = {package["name"] for package in json.loads(succeed(*pip, "list", "--format", "json"))}
    assert {"capacity", "psutil"} == names

    log = tmp_path / "agent.log"
    command = [tmp_path / "host/bin/capacity", "agent", "--pid", str(os.getpid()), "--listen", "0"]
    with (
        log.open("w") as output,
        subprocess.Popen(command, stdout=output, stderr=output) as agent,
    ):
        try:
            ready = eventually(lambda: re.search(r"agent ready on (\S+)", log.read_text()), log)
            info = json.loads(eventually(lambda: fetched(f"{ready[1]}/v1/info"), log))
        finally:
            agent.terminate()
            agent.wait(30)
    refused = run(tmp_path / "host/bin/capacity", "plan", "some-run")

    assert "descriptors" in {limit["resource"] for limit in info["limits"]}
    assert (3, 1) == (refused.returncode, refused.stderr.count("\n"))
    assert "the module click is not installed" in refused.stderr
