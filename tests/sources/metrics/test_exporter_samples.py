"""Who is watched, and what becomes of the gaps."""

import pytest

from capacity.domain.errors import ConfigError, UnreachableError
from capacity.domain.resources import LimitState, Resource
from capacity.settings.agent import MetricsSelection
from capacity.sources.metrics.exporter_samples import info_of, sample_of, subjects
from capacity.sources.metrics.exposition import page_of
from capacity.sources.metrics.series import Rates

GROUP = """\
namedprocess_namegroup_cpu_seconds_total{groupname="a",mode="user"} 0.3
namedprocess_namegroup_memory_bytes{groupname="a",memtype="resident"} 4e+07
namedprocess_namegroup_num_procs{groupname="a"} 1
namedprocess_namegroup_num_threads{groupname="a"} 1
namedprocess_namegroup_oldest_start_time_seconds{groupname="a"} 1.7e+09
namedprocess_namegroup_open_filedesc{groupname="a"} 9
namedprocess_namegroup_worst_fd_ratio{groupname="a"} 0.00045
"""
HOST = """\
node_boot_time_seconds 1.6e+09
node_cpu_seconds_total{cpu="0",mode="idle"} 1
node_filefd_allocated 676
node_filefd_maximum 1000
node_memory_MemAvailable_bytes 2.4e+10
node_memory_MemTotal_bytes 2.5e+10
node_uname_info{nodename="venue",release="6.1"} 1
"""


def series(page, at=100.0):
    return page_of(page, lambda _name: True, at).series


def found(page, **labels):
    selection = MetricsSelection(**labels)
    return subjects(series(page), selection, origin="the pages", section="agent.exporters")


def sampled(page, page_at_once=None, oldest_at=0.0):
    return sample_of(
        found(page_at_once or page),
        series(page),
        Rates(),
        seq=5,
        at=100.0,
        interval_s=1.0,
        oldest_at=oldest_at,
    )


def test_one_process_and_one_host_need_no_labels():
    who = found(GROUP + HOST)
    info = info_of(who, series(GROUP + HOST), now=7.0, boot_id="b")

    assert ("a", "venue", "6.1") == (info.target_name, info.host, info.kernel)
    assert (1, 2.5e10, "b", 7.0) == (info.cores, info.memory_bytes, info.boot_id, info.now)
    assert 1.7e9 == info.target_started_at


def test_labels_tell_the_target_among_several_groups():
    page = GROUP + GROUP.replace('"a"', '"b"') + HOST

    assert {"groupname": "b"} == found(page, process={"groupname": "b"}).process
    with pytest.raises(
        ConfigError,
        match=r"the pages: 2 series of namedprocess_namegroup_num_procs fit \(groupname=a \| "
        r"groupname=b\); name labels of the one that is meant in agent\.exporters\.process",
    ):
        found(page)


def test_two_hosts_must_be_told_apart():
    page = 'node_boot_time_seconds{instance="x"} 1\nnode_boot_time_seconds{instance="y"} 1\n'
    with pytest.raises(ConfigError, match=r"2 series of node_boot.*in agent\.exporters\.node of"):
        found(GROUP + page)

    assert {"instance": "y"} == found(GROUP + page, node={"instance": "y"}).node


def test_nobody_who_fits_is_said_with_what_was_asked_for():
    with pytest.raises(
        UnreachableError,
        match=r"^the pages publishes no process with groupname=z \(none of namedprocess_.*correct "
        r"agent\.exporters\.process$",
    ):
        found(GROUP + HOST, process={"groupname": "z"})


def test_what_no_exporter_publishes_is_missing_with_a_reason_and_its_limit_unknown():
    info = info_of(found(GROUP + HOST), series(GROUP + HOST), now=7.0, boot_id="")
    sample = sampled(GROUP + HOST)
    unknown = {limit.resource for limit in info.limits if limit.state is LimitState.UNKNOWN}

    assert set(Resource) == sample.used.keys() | (sample.missing.keys() & set(Resource))
    assert {Resource.EPOLL_WATCHES, Resource.MEMORY_MAPS, Resource.USER_PROCESSES} < unknown
    assert "use `capacity agent`" in sample.missing[Resource.EPOLL_WATCHES]
    assert all(limit.reason for limit in info.limits if limit.resource in unknown)


def test_without_node_exporter_the_host_is_missing_rather_than_zero():
    sample = sampled(GROUP)

    assert {9, 1, 4e7} == set(sample.used.values())
    assert "no node_exporter publishes the host" == sample.missing[Resource.HOST_MEMORY]


@pytest.mark.parametrize("value", ["NaN", "+Inf"])
def test_no_number_is_no_reading(value):
    sample = sampled(
        GROUP.replace('filedesc{groupname="a"} 9', f'filedesc{{groupname="a"}} {value}')
    )

    assert Resource.DESCRIPTORS not in sample.used
    assert f"is {float(value)}" in sample.missing[Resource.DESCRIPTORS]


def test_a_stale_series_is_missing_and_not_repeated():
    page = HOST.replace("allocated 676", "allocated 676 60.0")
    sample = sampled(GROUP + page, oldest_at=95.0)

    assert "node_filefd_allocated was 35 s too old to use" == sample.missing[Resource.FILE_TABLE]
    assert Resource.HOST_MEMORY in sample.used


def test_a_target_that_is_gone_has_no_start_and_no_use_and_the_host_still_has():
    gone = sampled(GROUP.replace('procs{groupname="a"} 1', 'procs{groupname="a"} 0') + HOST)
    vanished = sampled(HOST, GROUP + HOST)

    assert (None, None) == (gone.target_started_at, vanished.target_started_at)
    assert Resource.DESCRIPTORS in gone.missing
    assert Resource.DESCRIPTORS in vanished.missing
    assert Resource.FILE_TABLE in vanished.used


def test_a_target_that_does_not_run_is_refused_before_the_run():
    page = GROUP.replace('procs{groupname="a"} 1', 'procs{groupname="a"} 0')
    with pytest.raises(UnreachableError, match="target is not running"):
        info_of(found(page), series(page), now=7.0, boot_id="")
