"""Whether exporters are of our host."""

import platform
from pathlib import Path

import pytest

from capacity.sources.metrics.exposition import page_of
from capacity.sources.same_host import boot_id_of

OURS = Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def booted_at():
    lines = Path("/proc/stat").read_text().splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith("btime"))


def series(name, boot):
    page = f'node_uname_info{{nodename="{name}"}} 1\nnode_boot_time_seconds {boot}\n'
    return page_of(page, lambda _name: True, 1.0).series


def test_name_and_boot_time_together_are_the_host():
    assert OURS == boot_id_of(series(platform.node(), booted_at()))


@pytest.mark.parametrize(("name", "later_s"), [("another", 0), (platform.node(), 100)])
def test_one_of_them_alone_is_not(name, later_s):
    assert "" == boot_id_of(series(name, booted_at() + later_s))


def test_whoever_answers_on_loopback_is_here():
    for url in ("http://127.0.0.1:9100/metrics", "http://[::1]:9100", "http://localhost:9100"):
        assert OURS == boot_id_of([], [url])

    assert "" == boot_id_of([], ["http://10.0.0.5:9100/metrics"])
