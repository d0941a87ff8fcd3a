import fcntl
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from capacity.domain.errors import ConfigError, LockedError
from capacity.recording import lock
from capacity.recording.lock import locked

HERE = f"127.0.0.1%3A8080@{Path('/proc/self/ns/net').stat().st_ino}.lock"
HOLDER = """
import sys, time
from pathlib import Path
from capacity.recording.lock import locked
with locked(Path(sys.argv[1]), sys.argv[2], run="nightly-7"):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path), "127.0.0.1:8080"],
        stdout=subprocess.PIPE,
    )
    assert process.stdout.readline() == b"held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_a_busy_target_is_told_with_its_holder(tmp_path, holder):
    with (
        pytest.raises(LockedError) as error,
        locked(tmp_path, "127.0.0.1:8080", run="mine"),
    ):
        pass

    assert re.fullmatch(
        r"target 127\.0\.0\.1:8080 is busy: run nightly-7 by pid "
        + str(holder.pid)
        + r" since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC",
        str(error.value),
    )
    assert error.value.exit_code == 75


def test_another_target_is_free(tmp_path, holder):
    with locked(tmp_path, "127.0.0.1:8081", run="mine"):
        files = sorted(path.name for path in tmp_path.iterdir())

    assert files == [HERE, HERE.replace("8080", "8081")]


def test_a_holder_that_is_killed_lets_go(tmp_path, holder):
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    with locked(tmp_path, "127.0.0.1:8080", run="mine"):
        written = json.loads((tmp_path / HERE).read_text())

    assert (written["run"], written["pid"]) == ("mine", os.getpid())


def test_the_lock_ends_with_its_block_even_after_an_error(tmp_path):
    with pytest.raises(KeyError), locked(tmp_path, "target:1", run="first"):
        raise KeyError
    with locked(tmp_path, "target:1", run="second"):
        pass


def test_a_program_started_under_the_lock_does_not_keep_it(tmp_path):
    with locked(tmp_path, "target:1", run="first"):
        child = subprocess.Popen(["sleep", "60"], close_fds=False)
    with locked(tmp_path, "target:1", run="second"):
        assert child.poll() is None, "the program still runs while another run has the lock"
    child.kill()
    child.wait()


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "{}", '{"started_at": "soon"}', '{"started_at": 1e300}', "\udcff"]
)
def test_a_holder_that_has_not_written_itself_down_yet_is_told_too(tmp_path, content):
    with locked(tmp_path, "target:1", run="first"):
        path = tmp_path / "target%3A1.lock"
        path.write_bytes(content.encode(errors="surrogateescape"))
        with pytest.raises(LockedError) as error, locked(tmp_path, "target:1", run="second"):
            pass

    assert str(error.value) == "target target:1 is busy: another run has just begun"


def test_the_pid_of_another_host_is_told_as_such(tmp_path):
    with locked(tmp_path, "target:1", run="first"):
        path = tmp_path / "target%3A1.lock"
        path.write_text(json.dumps({**json.loads(path.read_text()), "boot_id": "elsewhere"}))
        with (
            pytest.raises(LockedError, match=rf"pid {os.getpid()} of another host since"),
            locked(tmp_path, "target:1", run="second"),
        ):
            pass


def test_a_shorter_name_leaves_nothing_of_a_longer_one(tmp_path):
    with locked(tmp_path, "target:1", run="a-very-long-name" * 10):
        pass
    with locked(tmp_path, "target:1", run="b"):
        written = json.loads((tmp_path / "target%3A1.lock").read_text())

    assert written["run"] == "b"


@pytest.mark.parametrize("address", ["../../etc/passwd:1", "[::1]:80", "a/b:1", "MiXed:1"])
def test_no_address_leads_out_of_the_directory(tmp_path, address):
    locks = tmp_path / "locks"
    with locked(locks, address, run="mine"):
        found = list(tmp_path.rglob("*.lock"))

    assert [path.parent for path in found] == [locks]


def test_a_directory_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError) as error, locked(tmp_path / "file", "target:1", run="mine"):
        pass

    assert str(error.value) == (
        f"{tmp_path}/file/target%3A1.lock: cannot be opened to lock target target:1 (File exists)"
    )


@pytest.mark.parametrize("name", ["localhost:8080", "LocalHost:8080", "[::1]:8080", "::1:8080"])
def test_a_target_is_locked_however_it_is_called(tmp_path, holder, name):
    with pytest.raises(LockedError, match="run nightly-7"), locked(tmp_path, name, run="mine"):
        pass


def test_nobody_else_can_open_and_hold_a_lock(tmp_path):
    (tmp_path / "10.0.0.1%3A9.lock").touch(0o644)
    with locked(tmp_path, "10.0.0.1:8", run="mine"), locked(tmp_path, "10.0.0.1:9", run="mine"):
        modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}

    assert modes == {"10.0.0.1%3A8.lock": 0o600, "10.0.0.1%3A9.lock": 0o600}


def test_files_of_locks_do_not_pile_up(tmp_path, holder, monkeypatch):
    monkeypatch.chdir(tmp_path)
    earlier = tmp_path / "reports" / "locks"
    earlier.mkdir(parents=True)
    for left in (tmp_path / "10.0.0.1%3A1.lock", earlier / "10.0.0.1%3A2.lock"):
        left.write_text("of a run that was killed")
    with locked(tmp_path, "10.0.0.1:3", run="mine"):
        during = sorted(path.name for path in tmp_path.rglob("*.lock"))

    assert during == ["10.0.0.1%3A3.lock", HERE], "the one that is held stays"
    assert [path.name for path in tmp_path.rglob("*.lock")] == [HERE]


def test_who_has_opened_a_file_that_its_holder_removes_takes_the_next_one(tmp_path, monkeypatch):
    path = tmp_path / "10.0.0.1%3A1.lock"
    opened = lock._opened

    def opened_too_early(path, more=0):
        file = opened(path, more)
        monkeypatch.setattr(lock, "_opened", opened)
        path.unlink()
        return file

    monkeypatch.setattr(lock, "_opened", opened_too_early)
    with locked(tmp_path, "10.0.0.1:1", run="mine"):
        assert json.loads(path.read_text())["run"] == "mine"


def test_who_only_looks_does_not_make_another_give_up(tmp_path, monkeypatch):
    path = tmp_path / "10.0.0.1%3A1.lock"
    looking = lock._opened(path, os.O_CREAT)
    assert lock._is_free(looking)
    monkeypatch.setattr(lock.time, "sleep", lambda _s: looking.close())
    with locked(tmp_path, "10.0.0.1:1", run="mine"):
        assert json.loads(path.read_text())["run"] == "mine"


def test_a_run_of_an_earlier_version_in_this_folder_is_heeded(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    earlier = tmp_path / "reports" / "locks" / "10.0.0.1%3A1.lock"
    earlier.parent.mkdir(parents=True)
    place = tmp_path / "place"
    with earlier.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with (
            pytest.raises(LockedError, match="another run has just begun"),
            locked(place, "10.0.0.1:1", run="mine"),
        ):
            pass
    with (
        locked(place, "10.0.0.1:1", run="mine"),
        earlier.open("r+") as file,
        pytest.raises(BlockingIOError),
    ):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_the_folder_of_earlier_versions_may_be_the_place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    place = tmp_path / "reports" / "locks"
    place.mkdir(parents=True)
    (place / "10.0.0.1%3A1.lock").touch()
    with locked(place, "10.0.0.1:1", run="mine"):
        assert json.loads((place / "10.0.0.1%3A1.lock").read_text())["run"] == "mine"


def test_a_child_of_the_holder_goes_on_under_its_lock(tmp_path):
    with locked(tmp_path, "127.0.0.1:8080", run="mine"):
        child = subprocess.run(
            [
                sys.executable,
                "-c",
                HOLDER.replace("sleep(60)", "sleep(0)"),
                tmp_path,
                "127.0.0.1:8080",
            ],
            check=True,
            capture_output=True,
        )
        still = json.loads((tmp_path / HERE).read_text())

    assert child.stdout == b"held\n"
    assert still["run"] == "mine"
