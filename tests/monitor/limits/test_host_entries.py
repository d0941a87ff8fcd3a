"""Memory and processors of the real host, and what a strict host would promise."""

import os

import psutil
import pytest

from capacity.domain.resources import LimitState
from capacity.monitor.limits.host_entries import allowed_cores, host_entries


def entries(target):
    return {entry.name: entry for entry in host_entries(target)}


def test_the_real_host_has_what_others_say_it_has(bystander, view):
    found = entries(view(bystander.pid))

    assert found["MemTotal"].value == psutil.virtual_memory().total
    assert found["SwapTotal"].value == psutil.swap_memory().total
    assert found["online processors"].value == psutil.cpu_count()
    assert found["Cpus_allowed"].value == len(psutil.Process(bystander.pid).cpu_affinity())


@pytest.mark.parametrize(
    ("mode", "state", "value"),
    [
        ("0", LimitState.UNLIMITED, None),
        ("1", LimitState.UNLIMITED, None),
        ("2", LimitState.KNOWN, 5 * 1024),
    ],
)
def test_only_a_strict_host_limits_what_is_promised(write_file, tmp_path, view, mode, state, value):
    write_file("7/stat", "7 (n) S 1 " + "0 " * 40)
    write_file("meminfo", "MemTotal: 9 kB\nCommitLimit: 5 kB\n")
    write_file("sys/vm/overcommit_memory", mode)
    found = entries(view(7, proc=str(tmp_path)))

    assert (found["CommitLimit"].state, found["CommitLimit"].value) == (state, value)
    assert found["SwapTotal"].state is LimitState.UNKNOWN
    assert found["Cpus_allowed"].state is LimitState.UNKNOWN


def test_a_tree_may_use_what_any_of_its_processes_may(start_child, view):
    one = start_child("import os; os.sched_setaffinity(0, {0})")
    other = start_child()

    assert allowed_cores(view(one.pid)) == {0}
    assert allowed_cores(view(one.pid, other.pid)) == os.sched_getaffinity(other.pid)
