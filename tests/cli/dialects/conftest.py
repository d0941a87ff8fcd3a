import runpy
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

TESTS = Path(__file__).parents[2]
SERVER = TESTS / "field" / "feed_server.py"
RECORDINGS = runpy.run_path(str(TESTS / "workload" / "drafting" / "recordings.py"))


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def recorded(here):
    """Write the recording of a venue and return its path."""

    def write(venue):
        path = here / f"{venue}.jsonl"
        path.write_text(RECORDINGS["as_text"](*RECORDINGS["VENUES"][venue]()), "utf-8")
        return str(path)

    return write


@pytest.fixture
def feed():
    """Start a feed that behaves as told; returns its address."""
    started = []

    def start(*behaviour):
        process = subprocess.Popen(
            [sys.executable, str(SERVER), *behaviour], stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        return f"ws://127.0.0.1:{int(process.stdout.readline())}"

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def described(here):
    """Write a dialect of the feed, changed as told, and return its path."""

    def write(**changes):
        settings = {
            "dialect": 1,
            "name": "feed",
            "ws": {"url": "{scheme}://{host}:{port}/ws"},
            "channels": {"feed": {"wire": "feed"}},
            "data": {"where": {"seq": {"exists": True}}},
            "time": {"path": "ts", "unit": "ms"},
            "sequence": [{"rule": "plus_one", "seq": "seq"}],
            **changes,
        }
        path = here / "feed.yaml"
        path.write_text(yaml.safe_dump(settings), "utf-8")
        return str(path)

    return write
