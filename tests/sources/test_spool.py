"""What --spool wrote, whole and torn, of one life of the agent and of several."""

import json
import runpy
from dataclasses import replace
from pathlib import Path

import pytest

from capacity.domain.errors import ConfigError
from capacity.sources.border import INFO
from capacity.sources.spool import read_spool

AGENT = runpy.run_path(str(Path(__file__).parents[1] / "agent_samples.py"))
HERE = AGENT["agent_info"]()
lines = AGENT["lines"]


def info(**changes):
    return INFO.dump_json(replace(HERE, **changes)) + b"\n"


@pytest.fixture
def write(tmp_path):
    def written(name, content):
        (tmp_path / name).write_bytes(content)
        return tmp_path / name

    return written


def test_info_and_samples_come_back(write):
    spool = read_spool([write("a", info() + lines(1, 2, 3))])

    assert HERE == spool.info
    assert [1, 2, 3] == [sample.seq for sample in spool.samples]
    assert 0 == spool.torn


def test_rotated_files_are_one_in_any_order(write):
    files = [
        write("b", info(now=2000.0) + lines(3, 4)),
        write("a", info(now=1000.0) + lines(1, 2, 3)),
    ]
    spool = read_spool(files)

    assert 1000.0 == spool.info.now
    assert [1, 2, 3, 4] == [sample.seq for sample in spool.samples]


def test_a_directory_stands_for_its_files(write, tmp_path):
    with pytest.raises(ConfigError, match=r"has no file of samples \(\*\.ndjson\)"):
        read_spool([tmp_path])
    write("samples-00000001.ndjson", info() + lines(1, 2))
    write("samples-00000002.ndjson", info(now=2000.0) + lines(3))

    assert [1, 2, 3] == [sample.seq for sample in read_spool([tmp_path]).samples]


def test_a_restarted_agent_that_counts_anew_is_numbered_through(write):
    content = info() + lines(1, 2, 5) + info(now=2000.0) + lines(1, 2, 4, begin_at=2000.0)
    spool = read_spool([write("a", content)])

    assert [1, 2, 5, 6, 7, 9] == [sample.seq for sample in spool.samples]


def test_a_torn_line_is_counted_and_the_rest_is_kept(write):
    spool = read_spool([write("a", info() + lines(1, 2)[:-20] + b"\n" + lines(3) + b"\x00")])

    assert [1, 3] == [sample.seq for sample in spool.samples]
    assert 2 == spool.torn


@pytest.mark.parametrize("content", [b"", lines(1), b"<html>", json.dumps([1]).encode(), b"\xff"])
def test_another_file_is_told_from_a_spool(write, content):
    with pytest.raises(ConfigError, match=r"a:1: no agent's info; name files that .*--spool"):
        read_spool([write("a", content)])


def test_a_spool_without_samples_is_of_no_use(write):
    with pytest.raises(ConfigError, match="hold no sample"):
        read_spool([write("a", info())])


def test_files_of_two_targets_are_not_mixed(write):
    files = [write("a", info() + lines(1)), write("b", info(host="other") + lines(2))]
    with pytest.raises(ConfigError, match="exchange on other, exchange on venue; name one's"):
        read_spool(files)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigError, match="none: cannot be read: No such file"):
        read_spool([tmp_path / "none"])
