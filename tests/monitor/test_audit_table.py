"""The table says every limit, and of the unknown ones why."""

import runpy
from dataclasses import replace
from pathlib import Path

import pytest

from capacity.domain.resources import Resource, Scaling
from capacity.domain.sample import AgentInfo
from capacity.monitor.audit_table import audit_table
from capacity.monitor.limits.entries import audited, failing
from capacity.monitor.limits.states import known, unknown, unlimited

sample_of = runpy.run_path(str(Path(__file__).parents[1] / "agent_samples.py"))["sample_of"]

SAMPLE = sample_of(
    used={Resource.DESCRIPTORS: 12.0, Resource.MEMORY: 3 << 20},
    missing={Resource.CPU: "a rate needs two"},
)


def entry(name, read, unit="files"):
    return audited(
        name, read, unit=unit, scope="host", source=f"/{name}", scales_with=Scaling.QUEUED_BYTES
    )


INFO = AgentInfo(
    agent_version="1",
    host="h",
    kernel="6.1",
    cores=1,
    memory_bytes=1,
    boot_id="b",
    target_name="nginx",
    target_pids=(7,),
    target_started_at=1.0,
    limits=(
        known(Resource.DESCRIPTORS, 1024, "process", "/d"),
        unknown(Resource.NETWORK_OUT, "host", "/n", "declare it"),
        unlimited(Resource.CPU, "cgroup", "/c"),
        known(Resource.MEMORY, 1 << 30, "cgroup", "/m"),
    ),
    now=1.0,
    audit=(
        entry("files", lambda: 2048),
        entry("buffer", lambda: 1 << 20, "bytes"),
        entry("line", lambda: 1 << 30, "bytes_per_s"),
        entry("open", lambda: None),
        entry("secret", failing(PermissionError(13, "denied", "/secret"))),
    ),
)


@pytest.fixture
def rows():
    lines = audit_table(INFO, SAMPLE).splitlines()
    return {line.split("  ")[0]: line for line in lines if line}


def test_the_head_counts_what_is_unknown():
    head = audit_table(INFO, SAMPLE).splitlines()[0]

    assert head == "nginx (process 7) on h, Linux 6.1: 5 limits, 1 of them unknown."
    two = replace(INFO, target_pids=(7, 8, 9))
    assert "(process 7 and 2 more)" in audit_table(two, SAMPLE)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("file descriptors", ["12 descriptors", "1,024 descriptors", "process", "/d"]),
        ("memory of the target", ["3 MiB", "1 GiB", "cgroup"]),
        ("CPU of the target", ["not read", "unlimited"]),
        ("network, outgoing", ["not read", "unknown", "/n (declare it)"]),
        ("files", ["2,048 files", "host", "queued bytes", "/files"]),
        ("buffer", ["1 MiB"]),
        ("line", ["1 GiB/s"]),
        ("open", ["unlimited"]),
        ("secret", ["unknown", "no permission", "as root"]),
    ],
)
def test_each_row_says_what_is_known(rows, name, words):
    assert [] == [word for word in words if word not in rows[name]]


def test_columns_stand_below_each_other(rows):
    starts = {rows[name].index("/" + name) for name in ("files", "buffer", "line", "open")}

    assert len(starts) == 1
