import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from capacity.domain.errors import ConfigError, LockedError
from capacity.recording import lock_place
from capacity.recording.lock import locked
from capacity.recording.lock_place import place_of_locks

TAKE = """
import os, sys
if child := os.fork():  # A child of the holder is let through, its own child is not.
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
from capacity.recording.lock import locked
from capacity.recording.lock_place import place_of_locks
with locked(place_of_locks(), "127.0.0.1:1", run="second"):
    print("held")
"""


@pytest.fixture
def bases(tmp_path, monkeypatch):
    """Two folders that everybody may write to, as on a host."""
    monkeypatch.delenv(lock_place.VARIABLE, raising=False)
    found = (tmp_path / "run-lock", tmp_path / "tmp")
    for base in found:
        base.mkdir()
        base.chmod(0o1777)
    monkeypatch.setattr(lock_place, "_BASES", found)
    return found


def test_a_user_has_one_place_on_a_host_whatever_folder_it_is_in(bases, tmp_path, monkeypatch):
    first = place_of_locks()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")

    assert first == place_of_locks() == bases[0] / f"capacity-{os.geteuid()}"
    assert stat.S_IMODE(first.stat().st_mode) == 0o700


def test_runs_of_two_folders_do_not_load_a_target_at_once(tmp_path, monkeypatch):
    folders = [tmp_path / name for name in ("one", "two")]
    for folder in folders:
        folder.mkdir()
    monkeypatch.chdir(folders[0])
    second = [sys.executable, "-c", TAKE]
    with locked(place_of_locks(), "localhost:1", run="first"):
        taken = subprocess.run(second, cwd=folders[1], capture_output=True, text=True, check=False)
        with pytest.raises(LockedError), locked(place_of_locks(), "[::1]:1", run="third"):
            pass

    assert taken.returncode == 1
    assert "target 127.0.0.1:1 is busy: run first by pid" in taken.stderr


def test_where_the_first_place_cannot_be_written_the_second_is_taken(bases):
    bases[0].rmdir()

    assert place_of_locks().parent == bases[1]


def test_a_folder_can_be_named(bases, tmp_path, monkeypatch):
    monkeypatch.setenv(lock_place.VARIABLE, str(tmp_path / "shared" / "locks"))

    assert place_of_locks() == tmp_path / "shared" / "locks"
    assert place_of_locks().is_dir()


@pytest.mark.parametrize("mode", [0o770, 0o702, 0o777])
def test_a_folder_that_others_may_write_to_is_refused(bases, mode):
    place_of_locks().chmod(mode)
    with pytest.raises(ConfigError, match="is not a folder that you alone can write to"):
        place_of_locks()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_folder_of_another_user_is_refused(bases):
    os.chown(place_of_locks(), 65534, 65534)
    with pytest.raises(ConfigError, match="others could hold its locks; remove it, or name a"):
        place_of_locks()


def test_a_link_that_another_has_put_there_is_not_followed(bases, tmp_path):
    (tmp_path / "trap").mkdir()
    (bases[0] / f"capacity-{os.geteuid()}").symlink_to(tmp_path / "trap")
    with pytest.raises(ConfigError, match="is not a folder that you alone can write to"):
        place_of_locks()


def test_a_place_that_cannot_be_made_is_told(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv(lock_place.VARIABLE, str(tmp_path / "file" / "locks"))
    with pytest.raises(ConfigError, match="file/locks: cannot be made for the locks of targets"):
        place_of_locks()


def test_a_host_has_one_of_the_places():
    assert any(base.is_dir() for base in lock_place._BASES)
    assert Path("/tmp") in lock_place._BASES
