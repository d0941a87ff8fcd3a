"""What the tutorial shows is what it says: its files load, its service runs, its commands answer."""

import re
import runpy
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from capacity.settings.demand import load_demand
from capacity.settings.hosts import load_hosts
from capacity.settings.target import load_target

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "tutorial.md").read_text("utf-8")
TYPING = runpy.run_path(str(ROOT / "docs" / "tutorial.py"))
FILES = dict(re.findall(r'```\w+ title="([^"]+)"\n(.*?)```', PAGE, flags=re.DOTALL))


def free_port():
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder with the files of the page, its service on another port."""
    folder = tmp_path_factory.mktemp("tutorial")
    port = free_port()
    for name, text in FILES.items():
        TYPING["written"](folder / name, text.replace("8765", str(port)))
    service = subprocess.Popen(
        [sys.executable, "-m", "uvicorn", "gateway:app", "--port", str(port)],
        cwd=folder,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        for line in service.stderr:
            if "Uvicorn running" in line:
                break
        yield folder
    finally:
        service.terminate()
        service.communicate(timeout=30)


def test_the_service_is_shown_in_full_and_short():
    assert 30 < sum(bool(line.strip()) for line in FILES["gateway.py"].splitlines()) <= 45


def test_who_pastes_a_block_starts_nothing_before_what_it_needs_is_there():
    blocks = re.findall(r"```sh\n(.*?)```", PAGE, flags=re.DOTALL)
    started = [block.splitlines() for block in blocks if "&\n" in block]

    assert 2 == len(started)
    assert all(len(lines) == 1 for lines in started)


def test_its_files_are_understood(folder, monkeypatch):
    monkeypatch.chdir(folder)
    hosts = load_hosts(folder / "config/hosts/gateway.yaml")

    assert load_demand(folder / "config/demand/gateway.yaml", hosts).host == "small"
    assert load_target(folder / "config/targets/gateway.yaml").dialect == "gateway"


def test_the_dialect_speaks_to_the_service(folder):
    line = next(line for line in PAGE.splitlines() if line.startswith("capacity dialect try"))
    answer = subprocess.run(
        [sys.executable, "-m", "capacity.cli.entry", *line.split()[1:]],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "with updates, 1 confirming" in answer.stdout
    assert "; 0 missing" in answer.stdout


def test_what_is_typed_and_printed_is_put_in_the_place_of_what_was(tmp_path):
    page = "Do:\n\n```sh\necho new; echo more\n```\n\n```text\nold\n```\n\nThen.\n"
    done = TYPING["BLOCK"].sub(lambda block: TYPING["done"](block, tmp_path, None), page)

    assert done == page.replace("old", "new\nmore")
    assert done == TYPING["BLOCK"].sub(lambda block: TYPING["done"](block, tmp_path, None), done)


def test_long_and_wide_answers_are_cut_where_one_sees_it(tmp_path):
    cut = TYPING["cut"]("\n".join(["x" * 200] * 50), tmp_path).splitlines()

    assert len(cut) == TYPING["MOST_LINES"] + 1
    assert cut[0].endswith("x…")
    assert cut[TYPING["KEPT_LINES"]] == " …"


def test_a_command_that_fails_ends_the_typing(tmp_path):
    with pytest.raises(SystemExit, match="false: exit code 1"):
        TYPING["typed"]("false", tmp_path, None)
