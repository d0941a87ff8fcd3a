"""Hexadecimal columns, one line a core."""

from pathlib import Path

import pytest

from capacity.monitor.collectors.backlog import BacklogCollector


def test_the_cores_add_up(write_file, tmp_path):
    write_file("net/softnet_stat", "0000ffff 0000000a 00000001 0\n00000001 00000010 000000ff 0\n")

    assert BacklogCollector(str(tmp_path)).collect().counters == {
        "backlog_drops": 26,
        "backlog_squeezes": 256,
    }


def test_the_real_host_counts_for_every_core():
    lines = Path("/proc/net/softnet_stat").read_text().splitlines()
    found = BacklogCollector().collect().counters

    assert found["backlog_drops"] >= max(int(line.split()[1], 16) for line in lines)


@pytest.mark.parametrize("text", ["1 2\n", "x y z\n"])
def test_anything_else_is_refused(write_file, tmp_path, text):
    write_file("net/softnet_stat", text)
    with pytest.raises(ValueError, match=r"3 numbers or more|invalid literal"):
        BacklogCollector(str(tmp_path)).collect()


def test_three_columns_are_enough(write_file, tmp_path):
    write_file("net/softnet_stat", "5 6 7\n")

    assert BacklogCollector(str(tmp_path)).collect().counters == {
        "backlog_drops": 6,
        "backlog_squeezes": 7,
    }
