"""The file of a real JVM, and files that are not as documented."""

import os
import random
import re
import shutil
import struct
import subprocess

import pytest

from capacity.monitor.host.hsperfdata import counters_file, heap_used_bytes
from capacity.monitor.readings import READ_ERRORS

SPACES = {
    b"sun.gc.generation.0.space.0.used": 5 << 20,
    b"sun.gc.generation.1.space.0.used": 7 << 20,
    b"sun.gc.generation.0.space.0.capacity": 99 << 20,
    b"java.property.secret": 1,
}


def written(spaces=SPACES, *, order="<", version=2, accessible=1):
    entries = b""
    for name, value in spaces.items():
        padded = name + b"\0" * (8 - (20 + len(name)) % 8)
        header = (20 + len(padded) + 8, 20, 0, ord("J"), 0, 2, 3, 20 + len(padded))
        entries += struct.pack(f"{order}iiibbbbi", *header) + padded
        entries += struct.pack(f"{order}q", value)
    head = (order == "<", version, 0, accessible, 32 + len(entries), 0, 0, 32, len(spaces))
    return b"\xca\xfe\xc0\xc0" + struct.pack(f"{order}BBBBiiqii", *head) + entries


def used(tmp_path, content):
    (tmp_path / "7").write_bytes(content)
    return heap_used_bytes(str(tmp_path / "7"))


@pytest.mark.parametrize("order", ["<", ">"])
def test_the_use_is_the_sum_over_the_spaces_of_the_heap(tmp_path, order):
    assert used(tmp_path, written(order=order)) == 12 << 20


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"nothing of the kind, but longer than a prologue",
        written(version=1),
        written(accessible=0),
        written({b"sun.gc.generation.0.space.0.used": -1}),
        written({b"java.property.secret": 1}),
    ],
)
def test_anything_else_is_refused(tmp_path, content):
    with pytest.raises(ValueError, match=r"hsperfdata|heap"):
        used(tmp_path, content)


def test_no_damage_leads_beyond_the_file(tmp_path):
    choose, whole = random.Random(8), written()
    for _ in range(400):
        content = bytearray(whole[: choose.randrange(len(whole) + 1)])
        for _ in range(choose.randrange(4)):
            if content:
                content[choose.randrange(len(content))] = choose.randrange(256)
        try:
            assert used(tmp_path, bytes(content)) >= 0
        except READ_ERRORS:
            continue


def test_a_link_or_a_pipe_in_its_place_is_not_followed(tmp_path):
    (tmp_path / "real").write_bytes(written())
    (tmp_path / "link").symlink_to(tmp_path / "real")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="symbolic links"):
        heap_used_bytes(str(tmp_path / "link"))
    with pytest.raises(ValueError, match="no regular file"):
        heap_used_bytes(str(tmp_path / "pipe"))


def test_the_file_is_looked_for_in_the_targets_own_tmp(write_file, tmp_path):
    path = write_file("7/root/tmp/hsperfdata_somebody/1", "")

    assert counters_file(7, 1, str(tmp_path)) == str(path)
    assert counters_file(7, 2, str(tmp_path)) is None


def test_it_says_what_the_jvm_says_itself(start_java):
    java = start_java("-Xmx64m")
    java.do("hold 20")
    path = counters_file(java.pid, java.pid)
    jcmd = shutil.which("jcmd")
    if not jcmd:
        pytest.skip("jcmd of a JDK is needed to compare")
    said = subprocess.run(
        [jcmd, str(java.pid), "PerfCounter.print"], capture_output=True, text=True, check=True
    ).stdout
    sizes = re.findall(r"^sun\.gc\.generation\.\d+\.space\.\d+\.used=(\d+)", said, re.MULTILINE)

    assert heap_used_bytes(path) == pytest.approx(sum(map(int, sizes)), abs=2 << 20)
    assert heap_used_bytes(path) > 18 << 20
