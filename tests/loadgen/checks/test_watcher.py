"""What a watcher gets to see."""

from capacity.loadgen.checks.watcher import NoWatcher


def test_without_a_watcher_nothing_is_looked_at():
    watcher = NoWatcher()

    assert (None, None) == (watcher.sent(b"x"), watcher.heard(b"x", ()))
