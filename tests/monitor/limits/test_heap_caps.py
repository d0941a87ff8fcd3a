"""Caps of real programs, each told in its own way, and what they say of themselves."""

import os
import re
import shutil
import sys

import pytest

from capacity.domain.resources import LimitState, Resource
from capacity.monitor.limits.heap_caps import (
    _jvm_heap_bytes,
    heap_cap,
    heap_entries,
)
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


CONFIG = '{"runtimeOptions": {"tfm": "net8.0", "configProperties": {%s}}}'


@pytest.fixture
def net_limit(write_file, tmp_path):
    """Return the limit of a program of .NET in /srv, in a container of 400 MiB or in none."""

    def read(line, properties=None, *, variables="", in_container=True):
        write_file("7/cmdline", line.replace(" ", "\0"))
        write_file("7/environ", variables)
        write_file("meminfo", "MemTotal: 1024000 kB\n")
        group = "/pods" if in_container else "/"
        write_file("7/cgroup", f"0::{group}\n")
        write_file("self/mountinfo", f"30 23 0:26 / {tmp_path}/cgroup rw - cgroup2 cgroup rw\n")
        write_file("cgroup/pods/memory.max", f"{400 * MIB}\n")
        write_file("root/srv/other", "")
        if properties is not None:
            write_file("root/srv/app.runtimeconfig.json", CONFIG % properties)
        for name, place in (("root", "root"), ("cwd", "root/srv")):
            (tmp_path / "7" / name).symlink_to(tmp_path / place)
        return heap_cap(7, str(tmp_path)).limit

    return read


@pytest.mark.parametrize("line", ["dotnet --roll-forward Major app.dll", "/srv/app", "./app"])
def test_a_program_of_net_has_its_limit_in_a_file_beside_it(net_limit, line):
    limit = net_limit(line, '"System.GC.HeapHardLimit": 67108864')

    assert limit.value == 64 * MIB
    assert limit.source == "/srv/app.runtimeconfig.json:1: System.GC.HeapHardLimit 67108864"


def test_the_environment_of_net_beats_its_file(net_limit):
    variables = "DOTNET_GCHeapHardLimit=2000000"

    assert (
        net_limit("/srv/app", '"System.GC.HeapHardLimit": 67108864', variables=variables).value
        == 32 * MIB
    )


def test_a_share_of_net_is_of_the_container(net_limit):
    assert net_limit("/srv/app", '"System.GC.HeapHardLimitPercent": 50').value == 200 * MIB


def test_net_without_a_limit_takes_three_quarters_of_its_container(net_limit):
    limit = net_limit("dotnet app.dll")

    assert limit.value == 300 * MIB
    assert "three quarters of" in limit.source


def test_net_without_a_limit_and_a_container_has_none(net_limit):
    assert net_limit("dotnet app.dll", "", in_container=False).state is LimitState.UNLIMITED


def test_a_file_of_net_that_cannot_be_parsed_is_unknown_with_its_line(net_limit):
    limit = net_limit("dotnet app.dll", "{{ limit }}")

    assert limit.state is LimitState.UNKNOWN
    assert limit.reason.startswith("/srv/app.runtimeconfig.json:1: beyond the plain YAML")


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


@pytest.mark.parametrize(
    ("memory_mib", "ratio", "heap_mib"),
    [
        (100, 0.25, 50.0),
        (249, 0.25, 124.5),
        (250, 0.25, 124.8),
        (499, 0.25, 124.8),
        (500, 0.25, 125.0),
        (4000, 0.5, 2000.0),
    ],
)
def test_a_jvm_takes_half_of_little_memory_and_a_share_of_much(memory_mib, ratio, heap_mib):
    """Arguments::set_heap_size of the JDK, whose MaxHeapSize is 124.8 MiB on 64 bits."""
    assert heap_mib * MIB == pytest.approx(_jvm_heap_bytes(memory_mib * MIB, ratio), abs=1)


@pytest.fixture
def planted(write_file, tmp_path):
    """Return the cap of a process of which only /proc exists, on a host with so much memory."""

    def cap(line, memory_kib, variables="", group_bytes=None):
        write_file("7/cmdline", line.replace(" ", "\0"))
        write_file("7/environ", variables)
        write_file("meminfo", f"MemTotal: {memory_kib} kB\n")
        write_file("7/cgroup", "0::/\n")
        write_file("self/mountinfo", f"30 23 0:26 / {tmp_path}/mnt rw - cgroup2 cgroup2 rw\n")
        write_file("mnt/memory.max", "max" if group_bytes is None else str(group_bytes))
        return heap_cap(7, str(tmp_path))

    return cap


@pytest.mark.parametrize(
    ("line", "memory_gib", "heap_gib"),
    [
        ("java Main", 16, 4),
        ("java Main", 128, 32),
        ("java Main", 160, 32),
        ("java -XX:MaxRAMPercentage=50 Main", 160, 80),
    ],
)
def test_the_default_of_a_jvm_is_a_quarter_and_32_gibibytes_at_most(
    planted, line, memory_gib, heap_gib
):
    assert heap_gib << 30 == planted(line, memory_gib << 20).limit.value


def test_the_smaller_one_of_host_and_container_is_the_memory(planted):
    limit = planted("java Main", 16 << 20, group_bytes=8 << 30).limit

    assert 2 << 30 == limit.value
    assert limit.source.endswith("mnt/memory.max")


@pytest.mark.parametrize(
    ("options", "memory_mib", "young_mib"),
    [
        ("--max-old-space-size=64", 256, 2),
        ("--max-old-space-size=64", 1024, 8),
        ("--max-old-space-size=64", 16 * 512, 32),
        ("--max-old-space-size=64", 20 * 512, 32),
        ("--max-old-space-size=64 --max-semi-space-size=3", 20 * 512, 6),
        ("app.js", 20 * 512, 32),
    ],
)
def test_half_of_nodes_young_generation_is_between_1_and_16_mebibytes(
    planted, options, memory_mib, young_mib
):
    cap = planted(f"node {options}", memory_mib << 10)

    assert (Runtime.NODE, young_mib * MIB) == (cap.runtime, cap.young_bytes)


def test_deno_has_the_cap_and_the_young_generation_that_it_was_given(planted):
    flags = "--v8-flags=--max-old-space-size=64,--max-semi-space-size=3"
    cap = planted(f"deno run {flags} app.ts", 20 << 20)

    assert (cap.runtime, cap.limit.value, cap.young_bytes) == (Runtime.DENO, 64 * MIB, 6 * MIB)


@pytest.mark.parametrize(
    ("program", "heap_mib", "where"), [("node", 512, "mnt/memory.max"), ("deno", 4096, "MemTotal")]
)
def test_node_goes_by_its_container_and_deno_by_the_host(planted, program, heap_mib, where):
    limit = planted(f"{program} app.ts", 20 << 20, group_bytes=1 << 30).limit

    assert limit.value == heap_mib * MIB
    assert limit.source.endswith(where)


@pytest.mark.parametrize(("name", "heap_mib"), [("memory", 512), (None, 4096)])
def test_node_goes_by_the_host_where_it_finds_no_files_of_its_container(
    planted, tmp_path, name, heap_mib
):
    seen = tmp_path / "7/root/sys/fs/cgroup"
    seen.mkdir(parents=True)
    if name is not None:
        (seen / name).mkdir()

    assert planted("node app.js", 20 << 20, group_bytes=1 << 30).limit.value == heap_mib * MIB


@pytest.mark.parametrize(
    ("options", "state", "value", "words"),
    [
        ("-d memory_limit=64M", LimitState.KNOWN, 64 * MIB, "7/cmdline: memory_limit 64M"),
        ("-n", LimitState.KNOWN, 128 * MIB, "no memory_limit is set"),
        ("-d memory_limit=-1", LimitState.UNLIMITED, None, "told to have no memory_limit"),
        ("-d memory_limit=much", LimitState.UNKNOWN, None, "no plain size"),
    ],
)
def test_php_has_its_memory_limit(planted, tmp_path, options, state, value, words):
    (tmp_path / "7").mkdir()
    (tmp_path / "7/exe").symlink_to("/usr/bin/php8.2")
    limit = planted(f"php {options} server.php", 1 << 20).limit

    assert (limit.state, limit.value) == (state, value)
    assert words in (limit.reason or limit.source)
