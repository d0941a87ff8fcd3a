"""Cores and disk of this host, and another run on the same target."""

import os

import pytest

from capacity.domain.answers.finding import Status
from capacity.loadgen.checks.host_findings import host_findings
from capacity.recording.lock import locked
from capacity.recording.lock_place import place_of_locks

ADDRESS = "127.0.0.1:25100"


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def found(workers=1):
    return {finding.name: finding for finding in host_findings(ADDRESS, workers)}


def test_an_idle_host_with_room_stands_in_nobodys_way():
    assert {"generator's cores", "other runs", "disk"} == found().keys()
    assert {Status.OK} == {finding.status for finding in found().values()}


@pytest.mark.parametrize(("more", "status"), [(0, Status.OK), (1, Status.WARNING)])
def test_more_workers_than_cores_share_them(more, status):
    workers = len(os.sched_getaffinity(0)) + more

    assert status is found(workers)["generator's cores"].status


def test_a_scheduled_run_on_the_same_target_is_seen():
    with locked(place_of_locks(), ADDRESS, run="nightly"):
        other = found()["other runs"]

    assert Status.WARNING is other.status
    assert "nightly" in other.statement


def test_a_folder_that_takes_no_record_is_a_failure(tmp_path, monkeypatch):
    (tmp_path / "reports").mkdir()
    monkeypatch.setattr(os, "access", lambda _path, _mode: False)  # Root may write everywhere.

    assert Status.FAILURE is found()["disk"].status
