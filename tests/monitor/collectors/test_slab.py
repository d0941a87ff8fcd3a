"""The kernel's own price of sockets that were really opened, where we may read it."""

import os
import socket

import pytest

from capacity.monitor.collectors import slab as module
from capacity.monitor.collectors.slab import SlabCollector, parse_slabinfo
from capacity.monitor.host.procfs import PAGE_BYTES

HEAD = "slabinfo - version: 2.1\n# name <active_objs> ...\n"
ROW = "{} 10 12 100 12 {} : tunables 0 0 0 : slabdata 4 {} 0\n"


@pytest.fixture
def unpaced(monkeypatch):
    monkeypatch.setattr(module, "_EVERY_S", 0.0)
    monkeypatch.setattr(module, "_COST_RATIO", 1e9)


def test_a_cache_is_its_slabs_times_their_pages():
    assert parse_slabinfo(HEAD + ROW.format("filp", 2, 5)) == {"filp": 5 * 2 * PAGE_BYTES}


def test_both_families_count_and_a_merged_cache_has_a_reason(write_file, tmp_path):
    rows = (("TCP", 8, 1), ("TCPv6", 8, 2), ("dentry", 1, 3), ("filp", 1, 4))
    write_file("slabinfo", HEAD + "".join(ROW.format(*row) for row in rows))
    reading = SlabCollector(str(tmp_path)).collect()

    assert reading.gauges == {
        "slab_tcp_bytes": 24 * PAGE_BYTES,
        "slab_dentry_bytes": 3 * PAGE_BYTES,
        "slab_filp_bytes": 4 * PAGE_BYTES,
    }
    assert set(reading.missing) == {"slab_sock_inode_cache_bytes", "slab_eventpoll_epi_bytes"}
    assert "merged" in reading.missing["slab_eventpoll_epi_bytes"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may read slabinfo")
def test_sockets_take_at_least_what_one_is_known_to_take(unpaced):
    collector, held = SlabCollector(), []
    with socket.create_server(("127.0.0.1", 0), backlog=500) as server:

        def grow(count):
            before = collector.collect().gauges["slab_tcp_bytes"]
            for _ in range(count // 2):
                held.extend([socket.create_connection(server.getsockname()), server.accept()[0]])
            return collector.collect().gauges["slab_tcp_bytes"] - before

        try:
            # Slabs that others left half empty take the first ones.
            while grow(200) < 150 * 2_000 and len(held) < 10_000:
                pass
            grown = grow(1_000)
        finally:
            for each in held:
                each.close()

    # tcp_sock has some 2,300 bytes.
    assert grown > 700 * 2_000


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become nobody")
def test_without_root_it_is_refused_and_says_what_helps(as_nobody):
    with pytest.raises(PermissionError) as caught:
        as_nobody(SlabCollector().collect)

    assert caught.value.filename == "/proc/slabinfo"


@pytest.mark.parametrize(
    "text", [HEAD, HEAD + "TCP 1 2\n", HEAD + "TCP a b c d e f : slabdata x y\n"]
)
def test_anything_else_is_refused(text):
    with pytest.raises(ValueError, match=r"no line of slabinfo|lists no cache|invalid literal"):
        parse_slabinfo(text)


def test_it_is_not_read_for_every_sample(write_file, tmp_path):
    write_file("slabinfo", HEAD + ROW.format("filp", 1, 4))
    collector = SlabCollector(str(tmp_path))
    first, second = collector.collect(), collector.collect()

    assert first.gauges
    assert (second.gauges, second.missing) == ({}, {})


def test_a_reading_comes_every_ten_seconds_or_takes_a_two_thousandth_of_a_core():
    pace = SlabCollector()._pace

    assert (10.0, 0.0005) == (pace.interval_s, pace._cost_ratio)


@pytest.mark.parametrize(
    ("line", "is_read"),
    [
        ("TCP 1 2 3 4 5 : slabdata 4 7", True),
        ("TCP 1 2 3 4 : slabdata 4 7", False),
        ("TCP 1 2 3 4 5 : slabdata 4", False),
    ],
)
def test_a_line_has_six_words_and_two_counts_at_least(line, is_read):
    if is_read:
        assert {"TCP": 7 * 5 * PAGE_BYTES} == parse_slabinfo(line)
    else:
        with pytest.raises(ValueError, match="no line of slabinfo"):
            parse_slabinfo(line)
