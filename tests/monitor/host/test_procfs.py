"""Formats from proc(5): planted texts, odd names, and what must be refused."""

import os
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.monitor.host.procfs import (
    PAGE_BYTES,
    TICKS_PER_S,
    needed,
    parse_cores,
    parse_flat_keyed,
    parse_interfaces,
    parse_meminfo,
    parse_paired_lines,
    parse_sockstat,
    parse_stat,
    read_number,
    read_text,
)

STAT = (
    "4711 ({name}) S 12 4711 4711 0 -1 4194560 900 0 0 0 150 50 7 3 20 0 9 0 123456 "
    "99999999 2500 18446744073709551615 1 1 0 0 0 0 0 0 0 0 0 0 17 1 0 0 0 0 0\n"
)


@pytest.mark.parametrize("name", ["nginx", "a b", "x) S 99 (", "(((", "", "1 2 3 4 5 6 7 8"])
def test_stat_is_read_past_any_process_name(name):
    stat = parse_stat(STAT.format(name=name))

    assert (stat.state, stat.parent_pid, stat.cpu_ticks) == ("S", 12, 200)
    assert (stat.threads, stat.started_ticks) == (9, 123456)
    assert stat.resident_bytes == 2500 * PAGE_BYTES


def test_children_that_exited_are_no_cpu_time_of_the_process():
    assert parse_stat(STAT.format(name="n")).cpu_ticks == 150 + 50


@pytest.mark.parametrize(
    "text", ["", "1 (n) S 1 2", "1 n S", STAT.format(name="n").replace("150", "x")]
)
def test_a_stat_that_is_cut_short_is_refused(text):
    with pytest.raises(ValueError, match=r"fields|invalid literal"):
        parse_stat(text)


def test_the_own_stat_tells_the_own_parent_and_threads():
    stat = parse_stat(read_text("/proc/self/stat"))

    assert stat.parent_pid == os.getppid()
    assert stat.threads >= threading.active_count()
    assert stat.is_alive


@pytest.mark.parametrize(
    ("state", "is_alive"), [("R", True), ("D", True), ("Z", False), ("X", False)]
)
def test_a_zombie_is_not_alive(state, is_alive):
    assert parse_stat(STAT.format(name="n").replace(") S", f") {state}")).is_alive is is_alive


def test_meminfo_is_in_bytes_and_without_counts():
    sizes = parse_meminfo("MemTotal:  2048 kB\nHugePages_Total:   7\nSlab:  3 kB\n")

    assert sizes == {"MemTotal": 2048 * 1024, "Slab": 3 * 1024}


def test_paired_lines_are_matched_by_protocol():
    text = "Ip: A B\nIp: 1 2\nTcp: RetransSegs CurrEstab\nTcp: 5 -1\nTcpExt: X\nTcpExt: 9\n"

    assert parse_paired_lines(text, "Tcp") == {"RetransSegs": 5, "CurrEstab": -1}


@pytest.mark.parametrize("text", ["", "Tcp: A\n", "Tcp: A B\nTcp: 1\n", "Tcp: A\nTcp: 1\nTcp: 2\n"])
def test_lines_that_do_not_pair_are_refused(text):
    with pytest.raises(ValueError, match="pair"):
        parse_paired_lines(text, "Tcp")


def test_sockstat_keeps_its_pages():
    text = "sockets: used 9\nTCP: inuse 4 orphan 0 tw 1 alloc 6 mem 63\nUDP: inuse 1 mem 2\n"

    assert parse_sockstat(text, "TCP")["mem"] == 63


@pytest.mark.parametrize("text", ["UDP: inuse 1\n", "TCP: inuse 1 mem\n"])
def test_a_sockstat_without_whole_pairs_is_refused(text):
    with pytest.raises(ValueError, match=r"line|zip"):
        parse_sockstat(text, "TCP")


def test_interfaces_are_read_with_and_without_a_space_after_the_colon():
    head = "Inter-| Receive | Transmit\n face |bytes |bytes\n"
    row = "{}100 1 0 0 0 0 0 0 200 2 0 0 0 0 0 0\n"
    text = head + row.format("  lo: ") + row.format("eth0:") + row.format("vlan:1: ")

    assert parse_interfaces(text) == dict.fromkeys(("lo", "eth0", "vlan:1"), (100, 200))


def test_an_interface_of_few_columns_is_refused():
    with pytest.raises(ValueError, match="9 columns"):
        parse_interfaces("a\nb\nlo: 1 2 3\n")


@given(st.sets(st.integers(0, 300), min_size=1))
def test_a_list_of_cores_names_each_once(cores):
    text = ",".join(str(core) for core in sorted(cores))

    assert parse_cores(f"{text}\n") == cores


@pytest.mark.parametrize(
    ("text", "expected"), [("0-3,8", {0, 1, 2, 3, 8}), ("5", {5}), ("0-0", {0})]
)
def test_ranges_of_cores_include_their_ends(text, expected):
    assert parse_cores(text) == expected


@pytest.mark.parametrize("text", ["", "a-b", "1-"])
def test_a_list_that_names_no_core_is_refused(text):
    with pytest.raises(ValueError, match="invalid literal"):
        parse_cores(text)


def test_an_entry_that_this_kernel_lacks_is_named():
    with pytest.raises(ValueError, match="no entry ListenDrops"):
        needed({"A": 1}, "ListenDrops")


def test_files_longer_than_one_read_are_read_whole(tmp_path):
    path = tmp_path / "long"
    path.write_text("7" * 200_000)

    assert len(read_text(str(path))) == 200_000


def test_a_number_may_end_in_a_newline(write_file):
    assert read_number(str(write_file("n", "42\n"))) == 42


def test_trouble_while_reading_names_the_file(tmp_path):
    with pytest.raises(IsADirectoryError) as caught:
        read_text(str(tmp_path))

    assert caught.value.filename == str(tmp_path)


def test_a_stat_has_22_fields_behind_the_name_at_least():
    fields = STAT.format(name="n").split()
    stat = parse_stat(" ".join(fields[:24]))

    assert (99_999_999, 2500 * PAGE_BYTES) == (stat.virtual_bytes, stat.resident_bytes)
    with pytest.raises(ValueError, match="stat has 21 fields"):
        parse_stat(" ".join(fields[:23]))


@pytest.mark.parametrize(("state", "is_alive"), [("x", False), ("T", True), ("I", True)])
def test_who_is_dead_in_the_old_way_is_not_alive(state, is_alive):
    assert is_alive is parse_stat(STAT.format(name="n").replace(") S", f") {state}")).is_alive


def test_an_interface_of_nine_columns_is_read():
    assert {"lo": (1, 9)} == parse_interfaces("a\nb\nlo: 1 2 3 4 5 6 7 8 9\n")
    with pytest.raises(ValueError, match="9 columns: 'lo: 1 2 3 4 5 6 7 8'"):
        parse_interfaces("a\nb\nlo: 1 2 3 4 5 6 7 8\n")
    with pytest.raises(ValueError, match="9 columns"):
        parse_interfaces("a\nb\nlo 1 2 3 4 5 6 7 8 9\n")


def test_every_entry_of_a_sockstat_is_read():
    assert {"inuse": 4, "mem": 63} == parse_sockstat("TCP: inuse 4 mem 63\n", "TCP")
    with pytest.raises(ValueError, match="no line 'TCP:'"):
        parse_sockstat("UDP: inuse 1\n", "TCP")


def test_a_flat_keyed_file_has_a_name_and_a_number_a_line():
    assert {"a": 1, "b": 22} == parse_flat_keyed("a 1\nb 22\n")


def test_units_are_those_of_this_kernel():
    assert os.sysconf("SC_CLK_TCK") == TICKS_PER_S
    assert os.sysconf("SC_PAGE_SIZE") == PAGE_BYTES
