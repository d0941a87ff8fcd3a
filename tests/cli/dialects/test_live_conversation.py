"""Live conversations: who is meant, what is kept."""

import pytest

from capacity.cli.dialects.live_conversation import FrameWatcher, target_at, write_new
from capacity.domain.errors import ConfigError
from capacity.workload.reception import HEARTBEAT


def test_the_address_decides_host_port_and_tls():
    found = [
        (target.host, target.port, target.tls)
        for target in (
            target_at(url, dialect="x", channels=("a",))
            for url in ("ws://h:81/p", "wss://h", "ws://[::1]:5")
        )
    ]

    assert [("h", 81, False), ("h", 443, True), ("::1", 5, False)] == found


@pytest.mark.parametrize("url", ["h:1", "ftp://h", "ws://", "ws://h:99999"])
def test_what_is_no_address_is_refused(url):
    with pytest.raises(ConfigError, match="must be ws://HOST:PORT"):
        target_at(url, dialect="x", channels=("a",))


def test_what_is_said_and_heard_is_kept(capsys):
    watcher = FrameWatcher(0)
    watcher.sent(b"a")
    watcher.heard(b"b", [HEARTBEAT])
    watcher.close()

    assert [(b"a", True), (b"b", False)] == [(f.payload, f.is_ours) for f in watcher.frames]
    assert (2, 1) == (watcher.counts.frames, watcher.counts.ours)


def test_files_are_made_with_their_folders_and_never_overwritten(tmp_path):
    path = tmp_path / "a" / "b"
    write_new(path, "x")

    with pytest.raises(ConfigError, match="is never overwritten"):
        write_new(path, "y")
    with pytest.raises(ConfigError, match="cannot be made: File exists"):
        write_new(path / "c", "y")
