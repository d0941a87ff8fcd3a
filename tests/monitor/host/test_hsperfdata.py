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


USED = {b"sun.gc.generation.0.space.0.used": 5}
ENTRY_BYTES = len(written(USED)) - 32


def changed(at, layout, value):
    """Return a file with one space, of which one field is another."""
    content = bytearray(written(USED))
    struct.pack_into(f"<{layout}", content, at, value)
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "trouble"),
    [
        (written(USED), None),
        (written({b"sun.gc.generation.0.space.0.used": 0}), None),
        (changed(32 + 16, "i", ENTRY_BYTES - 7), "outside of its entry"),
        (changed(32 + 16, "i", -1), "outside of its entry"),
        (changed(32, "i", ENTRY_BYTES + 1), "reaches beyond its end"),
        (changed(32, "i", 19), "reaches beyond its end"),
        (changed(32, "i", 20), "no size of a space"),
        (changed(32, "i", -1), "reaches beyond its end"),
        (changed(32 + 4, "i", ENTRY_BYTES + 1), "reaches beyond its end"),
        (changed(32 + 4, "i", -1), "reaches beyond its end"),
        (changed(32 + 4, "i", ENTRY_BYTES), "no size of a space"),
        (changed(32 + 8, "i", 1), "no size of a space"),
        (changed(32 + 12, "b", ord("I")), "no size of a space"),
        (changed(24, "i", -1), "begins beyond its end"),
        (changed(24, "i", 32 + ENTRY_BYTES - 19), "begins beyond its end"),
        (changed(28, "i", 2), "begins beyond its end"),
        (changed(28, "i", 0), "no size of a space"),
        (changed(8, "i", 32 + ENTRY_BYTES - 1), "reaches beyond its end"),
        (changed(8, "i", 1 << 30), None),
        (written(USED)[:-1], "reaches beyond its end"),
        (written(USED)[:31], "begins with cafec0c0"),
        (written({}), "no size of a space"),
        (written(USED, version=3), "version 3"),
        (written(USED, accessible=2), None),
    ],
)
def test_each_bound_of_an_entry_is_looked_at(tmp_path, content, trouble):
    if trouble is None:
        assert used(tmp_path, content) in {0, 5}
    else:
        with pytest.raises(ValueError, match=trouble):
            used(tmp_path, content)


@pytest.mark.parametrize(("beyond_bytes", "is_read"), [(0, True), (1, False)])
def test_a_mebibyte_is_looked_at(tmp_path, beyond_bytes, is_read):
    at = (1 << 20) - ENTRY_BYTES + beyond_bytes
    content = changed(24, "i", at)[:32].ljust(at, b"\0") + written(USED)[32:]
    content = content[:8] + struct.pack("<i", 1 << 30) + content[12:]
    if is_read:
        assert 5 == used(tmp_path, content)
    else:
        with pytest.raises(ValueError, match="beyond its end"):
            used(tmp_path, content)
