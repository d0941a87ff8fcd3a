"""What is read of a process's files, and what of a hostile root is not."""

import os
import subprocess
import sys

import pytest

from capacity.monitor.limits.applications import config_files as module
from capacity.monitor.limits.applications.config_files import MOST_FILE_BYTES, Files


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "root"
    (folder / "etc").mkdir(parents=True)
    (tmp_path / "outside").write_text("secret")
    return folder


@pytest.fixture
def files(root):
    return Files(str(root), "/etc")


@pytest.mark.parametrize("link", ["/../../outside", "../../outside", "/etc/../../../outside"])
def test_no_link_leads_outside_of_the_root(root, files, link):
    (root / "etc/a").symlink_to(link)
    (root / "outside").write_text("inside")

    assert files.text("/etc/a") == "inside"


def test_links_of_files_and_folders_are_followed_inside(root, files):
    (root / "etc/real").mkdir()
    (root / "etc/real/a").write_text("found")
    (root / "etc/linked").symlink_to("/etc/real")
    (root / "etc/b").symlink_to("linked/a")

    assert files.text("/etc/b") == files.text("/etc/../etc/./linked/a") == "found"


def test_a_step_back_leaves_one_folder_and_no_more(root, files):
    (root / "etc/one/two/three").mkdir(parents=True)
    (root / "etc/one/two/a").write_text("found")

    assert files.text("/etc/one/two/three/../a") == "found"


def test_links_that_go_round_are_an_error(root, files):
    (root / "etc/a").symlink_to("b")
    (root / "etc/b").symlink_to("a")

    with pytest.raises(OSError, match="too many links"):
        files.text("/etc/a")


def test_a_pipe_is_not_opened(root, files):
    os.mkfifo(root / "etc/a")

    with pytest.raises(OSError, match="not a regular file"):
        files.text("/etc/a")


def test_a_folder_is_not_a_file(files):
    with pytest.raises(OSError, match="not a regular file"):
        files.text("/etc")


def test_a_device_is_not_opened():
    with pytest.raises(OSError, match="not a regular file"):
        Files("/").text("/dev/zero")


def test_a_file_of_the_kernel_says_nothing():
    assert Files("/").text("/proc/self/environ") == ""


@pytest.mark.parametrize(("more", "is_read"), [(0, True), (1, False)])
def test_a_file_is_read_up_to_its_bound(root, files, more, is_read):
    (root / "etc/a").write_bytes(b"x" * (MOST_FILE_BYTES + more))

    if is_read:
        assert len(files.text("/etc/a")) == MOST_FILE_BYTES
    else:
        with pytest.raises(OSError, match="larger than 1 MiB"):
            files.text("/etc/a")


def test_only_so_many_files_are_read(root, files, monkeypatch):
    monkeypatch.setattr(module, "MOST_FILES", 3)
    (root / "etc/a").write_text("x")

    assert [files.text("/etc/a") for _ in range(3)] == ["x"] * 3
    with pytest.raises(OSError, match="more than 3 files"):
        files.text("/etc/a")


def test_bytes_that_are_no_text_are_read_as_some(root, files):
    (root / "etc/a").write_bytes(b"\xff\xfe 5")

    assert files.text("/etc/a").endswith(" 5")


def test_a_pattern_finds_what_a_shell_would(root, files):
    for name in ("b.conf", "a.conf", ".c.conf", "d.txt"):
        (root / "etc" / name).write_text("x")
    (root / "etc/folder").mkdir()
    (root / "etc/folder/e.conf").write_text("x")

    assert files.matching("/etc/*.conf") == ["/etc/a.conf", "/etc/b.conf"]
    assert files.matching("/etc/.*.conf") == ["/etc/.c.conf"]
    assert files.matching("/*/f*/[a-e].conf") == ["/etc/folder/e.conf"]
    assert files.matching("/etc/missing.conf") == ["/etc/missing.conf"]
    assert files.matching("/missing/*.conf") == files.matching("/etc/a.conf/*") == []


def test_a_folder_of_too_many_files_is_an_error(root, files, monkeypatch):
    monkeypatch.setattr(module, "_MOST_ENTRIES", 3)
    for number in range(4):
        (root / f"etc/{number}").write_text("")

    with pytest.raises(OSError, match="more than 3 files"):
        files.matching("/etc/*")


def test_paths_are_relative_to_where_the_process_works(files):
    assert files.absolute("a.conf") == "/etc/a.conf"
    assert files.absolute("a.conf", "/srv") == "/srv/a.conf"
    assert files.absolute("/a.conf") == "/a.conf"


def test_a_relative_path_of_a_process_that_works_where_we_may_not_look_is_an_error(root):
    with pytest.raises(PermissionError, match="may not be read"):
        Files(str(root), None).absolute("a.conf")


def test_a_change_of_anything_looked_at_is_noticed(root, files):
    (root / "etc/a").write_text("x")
    files.text("/etc/a")
    files.matching("/etc/*.conf")
    assert not files.exists("/etc/later")
    assert files.is_unchanged()

    (root / "etc/a").write_text("longer")

    assert not files.is_unchanged()


def test_a_file_that_comes_later_is_noticed(root, files):
    with pytest.raises(FileNotFoundError):
        files.text("/etc/later")
    assert files.is_unchanged()

    (root / "etc/later").write_text("x")

    assert not files.is_unchanged()


COUNT = """
import os, sys
from capacity.monitor.limits.applications.config_files import Files
files, before = Files(sys.argv[1]), len(os.listdir("/proc/self/fd"))
for path in ("/etc/a", "/etc/missing", "/etc/a/below", "/etc/round"):
    try:
        files.text(path)
    except OSError:
        pass
print(len(os.listdir("/proc/self/fd")) - before)
"""


def test_no_descriptor_is_kept(root):
    (root / "etc/a").write_text("x")
    (root / "etc/round").symlink_to("round")
    # Not here, where gevent closes them later.
    command = [sys.executable, "-c", COUNT, str(root)]

    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "0\n"


@pytest.mark.parametrize(("parts", "is_followed"), [(255, True), (256, False)])
def test_a_path_has_255_parts_at_most(files, parts, is_followed):
    path = "/etc/.." * (parts // 2) + "/etc" * (parts % 2)
    if is_followed:
        assert files.exists(path)
    else:
        with pytest.raises(OSError, match="too many links"):
            files.exists(path)


def test_bounds_are_those_of_a_large_configuration():
    assert (256, 4096, 1 << 20) == (module.MOST_FILES, module._MOST_ENTRIES, MOST_FILE_BYTES)


def test_as_many_files_as_allowed_may_match(root, files, monkeypatch):
    monkeypatch.setattr(module, "_MOST_ENTRIES", 3)
    for folder in ("x", "y"):
        (root / folder).mkdir()
        for number in range(2 if folder == "x" else 1):
            (root / folder / str(number)).write_text("")

    assert 3 == len(files.matching("/[xy]/*"))

    (root / "y/1").write_text("")

    with pytest.raises(OSError, match="too many files match"):
        files.matching("/[xy]/*")


def test_a_file_says_when_it_was_written_once_it_was_read(root, files):
    (root / "etc/a").write_text("x")
    os.utime(root / "etc/a", ns=(0, 1_500_000_000))

    assert 0.0 == files.changed_at("/etc/a")
    files.text("/etc/a")
    assert 1.5 == files.changed_at("/etc/a")
