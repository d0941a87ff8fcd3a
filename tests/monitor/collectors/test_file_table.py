"""The file table of the real host, and made-up extremes."""

import os

import pytest

from capacity.domain.resources import LimitState, Resource
from capacity.monitor.collectors.file_table import FileTableCollector


def test_opened_files_are_counted_by_the_host():
    collector = FileTableCollector()
    before = collector.collect().used[Resource.FILE_TABLE]
    files = [os.open("/dev/null", os.O_RDONLY) for _ in range(2000)]
    after = collector.collect().used[Resource.FILE_TABLE]
    for each in files:
        os.close(each)

    # The kernel counts in batches per core, and others open and close files too.
    assert after - before == pytest.approx(2000, abs=600)


def test_unused_entries_are_not_in_use(write_file, tmp_path):
    write_file("sys/fs/file-nr", "500\t20\t1000\n")
    collector = FileTableCollector(str(tmp_path))
    (limit,) = collector.limits()

    assert collector.collect().used == {Resource.FILE_TABLE: 480}
    assert (limit.value, limit.scope) == (1000, "host")


def test_the_largest_number_means_no_limit(write_file, tmp_path):
    write_file("sys/fs/file-nr", "500\t0\t9223372036854775807\n")
    (limit,) = FileTableCollector(str(tmp_path)).limits()

    assert limit.state is LimitState.UNLIMITED


@pytest.mark.parametrize("text", ["", "1 2\n", "a b c\n"])
def test_anything_else_is_no_usage_and_an_unknown_limit(write_file, tmp_path, text):
    write_file("sys/fs/file-nr", text)
    collector = FileTableCollector(str(tmp_path))
    (limit,) = collector.limits()

    assert limit.state is LimitState.UNKNOWN
    with pytest.raises(ValueError, match=r"unpack|invalid literal"):
        collector.collect()
