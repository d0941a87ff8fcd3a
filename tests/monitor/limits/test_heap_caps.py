"""Caps of real programs, each told in its own way, and what they say of themselves."""

import os
import re
import shutil
import sys

import pytest

from capacity.domain.resources import LimitState, Resource
from capacity.monitor.limits.heap_caps import heap_cap, heap_entries
from capacity.monitor.limits.runtimes import Runtime

MIB = 1 << 20


def test_a_jvm_has_the_cap_that_it_was_given(start_java):
    java = start_java("-Xmx64m")
    cap = heap_cap(java.pid)

    assert (cap.runtime, cap.limit.value) == (Runtime.JVM, 64 * MIB)
    assert cap.limit.source == f"/proc/{java.pid}/cmdline: -Xmx64m"


def test_a_jvm_can_be_told_by_its_environment(start_java):
    limit = heap_cap(start_java(JAVA_TOOL_OPTIONS="-Xmx48m -Dpassword=secret").pid).limit

    assert limit.value == 48 * MIB
    assert "secret" not in limit.source


JAVA_IN_PLACE = """
import re, subprocess
def largest(*options):
    said = subprocess.check_output(['java', *options, '-XX:+PrintFlagsFinal', '-version'],
                                   text=True, stderr=subprocess.DEVNULL)
    print(re.search(r' MaxHeapSize +=? (\\d+)', said)[1])
def start(*options):
    global java
    java = subprocess.Popen(['java', *options, '-cp', {classes!r}, 'Held'],
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    java.stdout.readline()
    print(java.pid)
def end(): java.kill(); java.wait()
"""


@pytest.mark.parametrize(
    ("mib", "options"),
    [
        (None, ()),
        (160, ()),
        (400, ()),
        (1000, ()),
        (400, ("-XX:MaxRAMPercentage=30",)),
        (400, ("-XX:MaxRAMPercentage=60",)),
    ],
)
def test_what_a_jvm_takes_of_the_memory_is_what_it_says_itself(
    start_child, v1_cgroup, java_classes, mib, options
):
    child = start_child(JAVA_IN_PLACE.format(classes=java_classes))
    if mib is not None:
        (v1_cgroup("memory", child) / "memory.limit_in_bytes").write_text(str(mib * MIB))
    (said,) = child.do(f"largest(*{options})")
    (pid,) = child.do(f"start(*{options})")
    try:
        limit = heap_cap(int(pid)).limit
    finally:
        child.do("end()")

    # It rounds to whole regions of its collector, up to 4 MiB here.
    assert limit.value == pytest.approx(int(said), abs=4 * MIB)
    assert mib is None or "memory.limit_in_bytes" in limit.source


@pytest.mark.parametrize(
    ("options", "variables"),
    [(("--max-old-space-size=64",), {}), ((), {"NODE_OPTIONS": "--max_old_space_size=64"})],
)
def test_node_has_the_cap_that_it_was_given(start_node, options, variables):
    cap = heap_cap(start_node(*options, **variables).pid)

    assert (cap.runtime, cap.limit.value) == (Runtime.NODE, 64 * MIB)


def test_the_young_generation_of_node_comes_beside_its_cap(start_node):
    given = heap_cap(start_node("--max-old-space-size=64", "--max-semi-space-size=4").pid)
    chosen = heap_cap(start_node("--max-old-space-size=64").pid)

    assert (given.limit.value, given.young_bytes) == (64 * MIB, 8 * MIB)
    assert 2 * MIB <= chosen.young_bytes <= 32 * MIB


def test_a_cap_on_the_whole_heap_of_node_has_no_young_generation_beside_it(start_node):
    cap = heap_cap(start_node("--max-heap-size=64").pid)

    assert (cap.limit.value, cap.young_bytes) == (64 * MIB, 0)


NODE_IN_PLACE = """
import subprocess
ask = "console.log(require('v8').getHeapStatistics().heap_size_limit)"
def largest(*options):
    print(subprocess.check_output(['node', *options, '-e', ask], text=True).strip())
def start(*options):
    global node
    held = "console.log('ready'); setTimeout(() => 0, 600000)"
    node = subprocess.Popen(['node', *options, '-e', held], stdout=subprocess.PIPE)
    node.stdout.readline()
    print(node.pid)
def end(): node.kill(); node.wait()
"""


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
@pytest.mark.parametrize(
    ("mib", "options"),
    [(None, ()), (512, ()), (600, ()), (4096, ()), (1024, ("--max-old-space-size=64",))],
)
def test_what_node_takes_of_the_memory_is_what_it_says_itself(start_child, v1_cgroup, mib, options):
    child = start_child(NODE_IN_PLACE)
    if mib is not None:
        (v1_cgroup("memory", child) / "memory.limit_in_bytes").write_text(str(mib * MIB))
    (said,) = child.do(f"largest(*{options})")
    (pid,) = child.do(f"start(*{options})")
    try:
        cap = heap_cap(int(pid))
    finally:
        child.do("end()")

    # It counts three semi-spaces.
    assert cap.limit.value + cap.young_bytes * 3 / 2 == int(said)


def test_go_has_a_soft_limit_and_says_so(start_program, go_program):
    cap = heap_cap(start_program(go_program, GOMEMLIMIT="64MiB").pid)

    assert (cap.runtime, cap.limit.value) == (Runtime.GO, 64 * MIB)
    assert cap.limit.source.endswith("GOMEMLIMIT=64MiB, a soft limit")
    assert heap_cap(start_program(go_program).pid).limit.state is LimitState.UNLIMITED


def test_a_variable_of_go_does_not_bind_what_is_none_of_gos(start_program):
    loop = "print('ready', flush=True); input()"
    limit = heap_cap(start_program(sys.executable, "-c", loop, GOMEMLIMIT="64MiB").pid).limit

    assert limit.state is LimitState.UNLIMITED


@pytest.mark.parametrize(
    ("line", "variables", "state", "words"),
    [
        ("dotnet app.dll", "DOTNET_GCHeapHardLimit=4000000", LimitState.KNOWN, "=4000000"),
        ("java @options Main", "", LimitState.UNKNOWN, "options from a file"),
        ("java -Xmxmuch Main", "", LimitState.UNKNOWN, "not in the documented format"),
        ("nginx", "", LimitState.UNLIMITED, "neither a JVM"),
    ],
)
def test_a_command_line_is_read_as_what_it_says(
    write_file, tmp_path, line, variables, state, words
):
    write_file("7/cmdline", line.replace(" ", "\0"))
    write_file("7/environ", variables)
    limit = heap_cap(7, str(tmp_path)).limit

    assert limit.state is state
    assert words in (limit.reason or limit.source)


def test_of_a_tree_the_audit_shows_the_smallest(start_java, start_child, view):
    large, small, other = start_java("-Xmx90m"), start_java("-Xmx80m"), start_child()
    (entry,) = heap_entries(view(other.pid, large.pid, small.pid))

    assert (entry.value, entry.resource) == (80 * MIB, Resource.HEAP)
    assert str(small.pid) in entry.source


def test_what_ended_is_unknown(start_child, view):
    child = start_child()
    gone = view(child.pid)
    child.end()
    (entry,) = heap_entries(gone)

    assert entry.state is LimitState.UNKNOWN


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become nobody")
def test_an_environment_that_may_not_be_read_leaves_what_the_command_line_says(
    start_node, as_nobody
):
    told, untold = start_node("--max-old-space-size=64"), start_node()

    assert as_nobody(lambda: heap_cap(told.pid)).limit.value == 64 * MIB
    hidden = as_nobody(lambda: heap_cap(untold.pid)).limit
    assert re.search("run the agent as the target's user or as root", hidden.reason)


@pytest.mark.parametrize("content", [b"", b"\x7fELF\x02\x01", b"\x7fELF\x02\x01" + b"\xff" * 90])
def test_a_damaged_program_is_none_of_gos(write_file, tmp_path, content):
    write_file("7/cmdline", "held")
    write_file("7/environ", "GOMEMLIMIT=1GiB")
    write_file("7/exe", "").write_bytes(content)

    assert heap_cap(7, str(tmp_path)).limit.state is LimitState.UNLIMITED


def test_a_program_of_c_is_none_of_gos(write_file, tmp_path):
    write_file("7/cmdline", "sh")
    write_file("7/environ", "GOMEMLIMIT=1GiB")
    shutil.copy("/bin/sh", tmp_path / "7/exe")

    assert heap_cap(7, str(tmp_path)).limit.state is LimitState.UNLIMITED
