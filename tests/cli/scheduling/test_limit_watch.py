"""Limits of a job's target against those that its last run recorded, without any load."""

import resource
import subprocess
import sys
from dataclasses import replace

import pytest

from capacity.cli.scheduling.limit_watch import changed_limits
from capacity.domain.resources import APPLICATION, AuditEntry, LimitState, Scaling
from capacity.recording.notices import NoticeKind
from capacity.recording.run_directory import RunWriter
from capacity.settings.target import load_target
from capacity.sources.source_of_target import open_source

SERVER = """
import socket
server = socket.create_server(("127.0.0.1", 0))
print(server.getsockname()[1], flush=True)
server.accept()
"""
BEFORE = 600
"""Descriptors of the server when it was recorded."""
CAP = AuditEntry(
    name="maxconn",
    state=LimitState.KNOWN,
    value=5.0,
    unit="connections",
    scope=APPLICATION,
    source="/etc/a:1",
    scales_with=Scaling.CONNECTIONS,
)


@pytest.fixture
def server():
    process = subprocess.Popen([sys.executable, "-ISc", SERVER], stdout=subprocess.PIPE, text=True)
    process.port = int(process.stdout.readline())
    resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (BEFORE, 1000))
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


@pytest.fixture
def target(write_target):
    return lambda *told: load_target(write_target(*told))


@pytest.fixture
def info(server, target):
    source = open_source(target(server.port))
    yield source.info()
    source.close()


@pytest.fixture
def recorded(tmp_path, bare_manifest, info):
    def record(name, audit):
        RunWriter(tmp_path / name, replace(bare_manifest, agent=replace(info, audit=tuple(audit))))

    return record


@pytest.fixture
def changes(tmp_path, server, target):
    """Return what is said of what these tests change: on the host others may change more meanwhile."""

    def of(job="nightly"):
        found = changed_limits(tmp_path, job, target(server.port))
        return [
            each for each in found if each.statement.startswith(("RLIMIT_NOFILE: ", "maxconn: "))
        ]

    return of


def test_nothing_is_said_before_the_first_run_and_where_nothing_changed(recorded, changes, info):
    assert changes() == []

    recorded("20261127T010000Z-nightly", info.audit)

    assert changes() == []


@pytest.mark.parametrize(
    ("descriptors", "kind"),
    [(BEFORE - 1, NoticeKind.LIMIT_LOWERED), (BEFORE + 1, NoticeKind.LIMIT_RAISED)],
)
def test_a_limit_that_moved_is_told_with_both_values(
    server, recorded, changes, info, descriptors, kind
):
    recorded("20261127T010000Z-nightly", info.audit)
    resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (descriptors, 1000))
    (notice,) = changes()

    assert notice.kind is kind
    assert notice.is_regression == (kind is NoticeKind.LIMIT_LOWERED)
    assert f"was {BEFORE} descriptors, is {descriptors} descriptors (" in notice.statement


def test_the_newest_run_of_the_job_itself_counts(recorded, changes, info):
    other = [replace(entry, value=1.0) if entry.value else entry for entry in info.audit]
    recorded("20261127T010000Z-nightly", other)
    recorded("20261127T020000Z-nightly", info.audit)
    recorded("20261127T030000Z-twice-nightly", other)

    assert changes() == []
    assert changes("twice-nightly") != []


def test_what_a_server_no_longer_sets_is_told_and_what_came_with_a_place_is_not(
    recorded, changes, info
):
    recorded("20261127T010000Z-nightly", [*info.audit[1:], CAP])
    (notice,) = changes()

    assert (notice.kind, notice.is_regression) == (NoticeKind.LIMIT_CHANGED, False)
    assert notice.statement == "maxconn: was 5 connections, is not there (/etc/a:1)"


def test_a_limit_where_none_was_is_a_regression(recorded, changes, info):
    recorded(
        "20261127T010000Z-nightly",
        [
            replace(entry, state=LimitState.UNLIMITED, value=None)
            if entry.name == "RLIMIT_NOFILE"
            else entry
            for entry in info.audit
        ],
    )
    (notice,) = changes()

    assert (notice.kind, notice.is_regression) == (NoticeKind.LIMIT_LOWERED, True)
    assert notice.statement.startswith(f"RLIMIT_NOFILE: was unlimited, is {BEFORE} descriptors (")


def test_what_got_worse_comes_first(recorded, changes, info):
    recorded(
        "20261127T010000Z-nightly",
        [
            CAP,
            *(
                replace(each, value=BEFORE + 1.0) if each.value == BEFORE else each
                for each in info.audit
            ),
        ],
    )

    assert [notice.is_regression for notice in changes()] == [True, False]


@pytest.mark.parametrize("agent", ["", "agent: {{url: http://127.0.0.1:1}}"])
def test_a_target_without_an_agent_that_answers_says_nothing(
    tmp_path, server, target, recorded, info, agent
):
    recorded("20261127T010000Z-nightly", info.audit)

    assert changed_limits(tmp_path, "nightly", target(server.port, agent)) == []
