"""Spooling to real directories: bounds, restarts, removed files, and a file system that is full."""

import errno
import fcntl
import json
import os
import resource
import runpy
from dataclasses import replace
from pathlib import Path

import pytest

from capacity.domain.errors import ConfigError, PreflightError
from capacity.monitor.notes import Notes
from capacity.monitor.serving import spool as module
from capacity.monitor.serving.spool import Spool
from capacity.monitor.serving.store import SampleRing

FILES = 8

AGENT = runpy.run_path(str(Path(__file__).parents[2] / "agent_samples.py"))
INFO = AGENT["agent_info"]()
SAMPLE = AGENT["sample_of"](missing={"cpu": "x" * 800}, target_started_at=None)
AMPLE_BYTES = 1 << 20


@pytest.fixture
def spool(tmp_path):
    made = []

    def make(ring, most_bytes=AMPLE_BYTES, notes=None):
        made.append(Spool(tmp_path, most_bytes, ring, lambda: INFO, notes or Notes()))
        return made[-1]

    yield make
    for each in made:
        each._close()


def ring_of(count):
    ring = SampleRing(1000)
    for seq in range(1, count + 1):
        ring.add(replace(SAMPLE, seq=seq, at=float(seq)))
    return ring


def files(folder):
    return sorted(folder.glob("samples-*.ndjson"))


def seqs_in(file):
    """Return the numbers in one file, after its info."""
    first, *others = file.read_text().splitlines()
    assert json.loads(first)["agent_version"] == INFO.agent_version
    return [json.loads(line)["seq"] for line in others]


def seqs(folder):
    return [seq for file in files(folder) for seq in seqs_in(file)]


def end(spool):
    """End as a killed agent does: the kernel takes the lock away."""
    spool._close()
    fcntl.flock(spool._place, fcntl.LOCK_UN)  # gevent, patched into the tests, closes later.
    os.close(spool._place)


def test_a_file_begins_with_the_info_and_holds_the_very_lines_that_are_served(spool, tmp_path):
    ring = ring_of(3)
    spool(ring).write()
    lines = files(tmp_path)[0].read_bytes().splitlines(keepends=True)

    assert [path.name for path in tmp_path.iterdir()] == ["samples-00000001.ndjson"]
    assert json.loads(lines[0])["target_pids"] == [1]
    assert lines[1:] == [line for _, line in ring.since(0)]


def test_each_sample_is_written_once(spool, tmp_path):
    ring = ring_of(2)
    written = spool(ring)
    written.write()
    written.write()
    ring.add(replace(SAMPLE, seq=3))
    written.write()

    assert seqs(tmp_path) == [1, 2, 3]


def test_a_restart_begins_a_new_file_and_loses_nothing(spool, tmp_path):
    first = spool(ring_of(3))
    first.write()
    end(first)
    spool(ring_of(2)).write()

    assert [seqs_in(file) for file in files(tmp_path)] == [[1, 2, 3], [1, 2]]


def test_a_file_cut_short_by_a_power_cut_is_left_alone(spool, tmp_path):
    (tmp_path / "samples-00000007.ndjson").write_text('{"agent_ver')
    spool(ring_of(1)).write()

    assert (tmp_path / "samples-00000007.ndjson").read_text() == '{"agent_ver'
    assert seqs_in(tmp_path / "samples-00000008.ndjson") == [1]


def test_together_the_files_keep_their_bound_and_the_newest_samples(spool, tmp_path):
    ring, most_bytes = ring_of(0), 40_000
    (tmp_path / "samples-1.ndjson").write_text("not ours: another number of digits")
    (tmp_path / "notes.txt").write_text("not ours")
    written = spool(ring, most_bytes)
    totals = []
    for seq in range(1, 300):
        ring.add(replace(SAMPLE, seq=seq))
        written.write()
        totals.append(sum(file.stat().st_size for file in tmp_path.glob("samples-0*.ndjson")))
    kept = [seq for file in sorted(tmp_path.glob("samples-0*")) for seq in seqs_in(file)]

    assert max(totals) <= most_bytes
    assert kept == list(range(kept[0], 300))
    assert len(kept) * len(ring.since(298)[0][1]) > most_bytes * (FILES - 3) / FILES
    assert (tmp_path / "notes.txt").exists()
    assert (tmp_path / "samples-1.ndjson").exists()


def test_a_file_that_was_removed_is_not_written_into_the_void(spool, tmp_path):
    ring = ring_of(1)
    written = spool(ring)
    written.write()
    files(tmp_path)[0].unlink()
    ring.add(replace(SAMPLE, seq=2))
    with pytest.raises(OSError, match="removed while it was written"):
        written.write()
    written.write()

    assert seqs(tmp_path) == [2]


@pytest.fixture
def no_room():
    """Files of this process may not grow beyond so many bytes: the kernel cuts a write short."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda most_bytes: resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("room_bytes", [3500, 100, 1])
def test_without_room_there_are_whole_lines_only_and_the_rest_when_there_is_room_again(
    spool, tmp_path, no_room, room_bytes
):
    written = spool(ring_of(10))
    no_room(room_bytes)
    for _ in range(3):
        with pytest.raises(OSError, match=r"No space left|File too large"):
            written.write()
    early = seqs(tmp_path)
    no_room(AMPLE_BYTES)
    written.write()

    assert early == ([1, 2, 3] if room_bytes == 3500 else [])
    assert seqs(tmp_path) == list(range(1, 11))
    assert len(files(tmp_path)) == 1


def test_trouble_is_told_once_and_when_it_is_over(tmp_path, spool, monkeypatch, wait_until, capsys):
    monkeypatch.setattr(module, "_PAUSE_S", 0.05)
    notes, ring = Notes(), ring_of(1)
    written = spool(ring, notes=notes)
    real, failures = os.write, []

    def full(descriptor, data):
        failures.append(len(data))
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(module.os, "write", full)
    written.start()
    wait_until(lambda: len(failures) > 2)
    standing = notes.sentences
    monkeypatch.setattr(module.os, "write", real)
    wait_until(lambda: not notes.sentences)
    ring.add(replace(SAMPLE, seq=2))
    written.stop(2)

    assert len(standing) == 1
    assert standing[0].startswith(
        f"--spool {tmp_path}: No space left on device; sampling goes on, and what is still in memory"
    )
    assert seqs(tmp_path) == [1, 2]
    assert len(capsys.readouterr().err.splitlines()) == 2


def test_a_directory_has_one_agent(spool, tmp_path):
    first = spool(ring_of(1))
    with pytest.raises(PreflightError, match=f"--spool {tmp_path}: another agent writes there"):
        spool(ring_of(1))
    end(first)
    spool(ring_of(1)).write()

    assert seqs(tmp_path) == [1]


def test_a_place_that_is_none_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    for name, why in [("absent", "No such file or directory"), ("file", "Not a directory")]:
        with pytest.raises(ConfigError, match=f"--spool {tmp_path / name}: {why}"):
            Spool(tmp_path / name, AMPLE_BYTES, ring_of(0), lambda: INFO, Notes())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes somebody else")
def test_a_place_where_we_may_not_write_is_refused(tmp_path, as_nobody):
    place = tmp_path / "ours"
    place.mkdir(mode=0o755)
    for parent in (tmp_path, *list(tmp_path.parents)[:3]):
        parent.chmod(parent.stat().st_mode | 0o055)
    with pytest.raises(ConfigError, match="not writable"):
        as_nobody(lambda: Spool(place, AMPLE_BYTES, ring_of(0), lambda: INFO, Notes()))


def test_a_link_in_the_files_place_is_not_followed(spool, tmp_path):
    (tmp_path / "elsewhere").write_text("kept")
    (tmp_path / "samples-00000001.ndjson").symlink_to(tmp_path / "elsewhere")
    spool(ring_of(1)).write()

    assert (tmp_path / "elsewhere").read_text() == "kept"
    assert seqs_in(tmp_path / "samples-00000002.ndjson") == [1]
