"""Heaps of real programs that hold and drop, and die where the cap says."""

import runpy
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from capacity.domain.resources import Limit, LimitState, Resource
from capacity.monitor.collectors import heap as module
from capacity.monitor.collectors.heap import HeapCollector
from capacity.monitor.host.procfs import read_text
from capacity.monitor.limits.heap_caps import HeapCap, Runtime

MIB = 1 << 20
WRITTEN = runpy.run_path(str(Path(__file__).parents[1] / "host/test_hsperfdata.py"))["written"]


def collected(collector, target):
    reading = collector.collect(target)
    (limit,) = reading.limits
    return reading.used[Resource.HEAP], limit


def test_a_jvm_tells_what_it_holds_against_its_cap(start_java, view):
    java, collector = start_java("-Xmx64m"), HeapCollector()
    java.do("hold 20")
    used, limit = collected(collector, view(java.pid))

    assert 18 * MIB < used < 40 * MIB
    assert limit.value == 64 * MIB
    assert limit.source == f"/proc/{java.pid}/cmdline: -Xmx64m"


@pytest.mark.parametrize("collector_option", ["-XX:+UseSerialGC", "-XX:+UseG1GC"])
def test_garbage_that_was_collected_is_no_use(start_java, view, collector_option):
    java, collector = start_java("-Xmx64m", collector_option), HeapCollector()
    java.do("hold 10")
    uses = []
    for _ in range(module._RECENT):
        java.do("drop 25")
        uses.append(collected(collector, view(java.pid))[0])

    assert 9 * MIB < uses[-1] == min(uses) < 30 * MIB


def test_a_jvm_that_tells_nothing_is_bounded_by_its_anonymous_memory(start_java, view):
    java = start_java("-Xmx64m", "-XX:-UsePerfData")
    before, _ = collected(HeapCollector(), view(java.pid))
    java.do("hold 20")
    after, limit = collected(HeapCollector(), view(java.pid))

    assert after - before > 18 * MIB
    assert limit.source.endswith("which holds more than the heap")


def test_node_dies_of_its_cap_before_the_bound_is_reached(start_node, view):
    node, collector = start_node("--max-old-space-size=64"), HeapCollector()
    used, limit = collected(collector, view(node.pid))
    assert used < 32 * MIB < limit.value == (64 + 16) * MIB
    assert "half of a young generation of 32 MiB" in limit.source
    seen = [used]
    try:
        for _ in range(40):
            node.do("hold 4")
            seen.append(collected(collector, view(node.pid))[0])
    except (AssertionError, BrokenPipeError):
        pass  # It ended.

    assert len(seen) < 40
    assert 0.8 * 64 * MIB < max(seen) < (64 + 32) * MIB


def test_a_program_of_go_is_bounded_by_its_anonymous_memory(start_program, go_program, view):
    program, collector = start_program(go_program, GOMEMLIMIT="64MiB"), HeapCollector()
    before, _ = collected(collector, view(program.pid))
    program.do("hold 20")
    after, limit = collected(collector, view(program.pid))

    assert 18 * MIB < after - before < 50 * MIB
    assert "a soft limit" in limit.source


def test_a_runtime_without_a_cap_has_none_but_a_use(bystander, view):
    used, limit = collected(HeapCollector(), view(bystander.pid))
    kib = next(
        int(line.split()[1])
        for line in read_text(f"/proc/{bystander.pid}/status").splitlines()
        if line.startswith("RssAnon")
    )

    assert limit.state is LimitState.UNLIMITED
    assert used == kib * 1024


def test_an_erlang_machine_is_known_by_all_that_is_resident(view, tmp_path):
    program = tmp_path / "beam.smp"
    shutil.copy("/bin/cat", program)
    ends = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([program], bufsize=0, **ends) as process:
        process.stdin.write(b"x")
        process.stdout.read(1)  # It runs.
        try:
            used, limit = collected(HeapCollector(), view(process.pid))
            status = dict(
                line.split(":") for line in read_text(f"/proc/{process.pid}/status").splitlines()
            )
        finally:
            process.kill()

    assert limit.state is LimitState.UNLIMITED
    assert used == int(status["VmRSS"].split()[0]) * 1024
    assert used > int(status["RssAnon"].split()[0]) * 1024


def test_the_process_nearest_its_cap_speaks_and_one_without_does_not(start_node, start_child, view):
    far, near = start_node("--max-old-space-size=4000"), start_node("--max-old-space-size=64")
    far.do("hold 50")
    large = start_child("held = bytearray(b'x') * (90 << 20)")
    _, limit = collected(HeapCollector(), view(large.pid, far.pid, near.pid))

    assert (limit.value, str(near.pid) in limit.source) == (80 * MIB, True)


def test_an_unknown_cap_is_said_where_none_is_known(start_program, start_child, view):
    named = "exec -a java bash -c 'echo ready; read line'"
    java = start_program("bash", "-c", named, JAVA_TOOL_OPTIONS="@options")
    _, limit = collected(HeapCollector(), view(start_child().pid, java.pid))

    assert limit.state is LimitState.UNKNOWN


def test_a_process_that_became_another_program_is_read_anew(start_program, view, write_file):
    script = "echo ready; read line; exec node --max-old-space-size=64 -e 'console.log(\"done\"); setTimeout(() => 0, 60000)'"
    shell, collector = start_program("sh", "-c", script), HeapCollector()
    states = [collected(collector, view(shell.pid))[1].state]
    shell.do("go")
    collector.limits(view(shell.pid))
    states.append(collected(collector, view(shell.pid))[1].state)

    assert states == [LimitState.UNLIMITED, LimitState.KNOWN]


def test_a_target_that_ended_is_refused_and_not_zero(start_child, view):
    child = start_child()
    gone = view(child.pid)
    child.end()
    with pytest.raises((FileNotFoundError, ProcessLookupError)):
        HeapCollector().collect(gone)


def cap_of(value=None, *, state=None, runtime=Runtime.NODE, young_bytes=0):
    state = state or (LimitState.UNLIMITED if value is None else LimitState.KNOWN)
    limit = Limit(resource=Resource.HEAP, state=state, value=value, scope="process", source="here")
    return HeapCap(runtime=runtime, limit=limit, young_bytes=young_bytes)


def nearest(caps, resident_bytes):
    stats = {pid: SimpleNamespace(resident_bytes=size) for pid, size in resident_bytes.items()}
    return module._nearest(caps, SimpleNamespace(stats=stats))


def test_the_eight_with_most_memory_for_their_cap_are_looked_at():
    caps = {pid: cap_of(100.0 * pid) for pid in range(1, 11)} | {11: cap_of()}

    assert list(range(1, 9)) == nearest(caps, dict.fromkeys(caps, 1000))


@pytest.mark.parametrize("state", [LimitState.UNKNOWN, LimitState.UNLIMITED])
def test_of_those_without_a_known_cap_the_largest_is_looked_at(state):
    caps = {pid: cap_of(state=state) for pid in (1, 2, 3)} | {4: cap_of()}

    assert [2] == nearest(caps, {1: 5, 2: 7, 3: 6, 4: 6})


def test_a_cap_of_nothing_is_nearest():
    assert [2, 1] == nearest({1: cap_of(2.0), 2: cap_of(0.0)}, {1: 5, 2: 5})
    use = module._Use(pid=1, used_bytes=5, cap=cap_of(0.0), is_bound=True)
    assert (5.0, 5) == use.share
    assert (0.0, 5) == module._Use(pid=1, used_bytes=5, cap=cap_of(), is_bound=True).share
    assert (0.5, 5) == module._Use(pid=1, used_bytes=5, cap=cap_of(10.0), is_bound=True).share


def test_what_was_swapped_out_is_held_as_well(write_file, tmp_path):
    write_file("7/status", "NSpid:\t7\nRssAnon:\t 30 kB\nVmSwap:\t 12 kB\n")
    use = HeapCollector()._use(7, cap_of(100.0), str(tmp_path))

    assert (42 * 1024, True) == (use.used_bytes, use.is_bound)


def test_the_use_of_a_jvm_is_the_least_of_its_last_five_readings(write_file, tmp_path):
    """It is process 1 of its own namespace; what it tells is damaged at last."""
    write_file("7/status", "NSpid:\t7\t1\nRssAnon:\t 30 kB\nVmSwap:\t 0 kB\n")
    path = write_file("7/root/tmp/hsperfdata_x/1", "")
    collector, cap, seen = HeapCollector(), cap_of(100.0, runtime=Runtime.JVM), []
    for size in (3, 20, 21, 22, 23, 24, 25):
        path.write_bytes(WRITTEN({b"sun.gc.generation.0.space.0.used": size}))
        seen.append(collector._use(7, cap, str(tmp_path)))
    path.write_bytes(b"")
    damaged = collector._use(7, cap, str(tmp_path))

    assert [3, 3, 3, 3, 3, 20, 21] == [use.used_bytes for use in seen]
    assert {False} == {use.is_bound for use in seen}
    assert (30 * 1024, True) == (damaged.used_bytes, damaged.is_bound)


@pytest.mark.parametrize(
    ("cap", "value", "said"),
    [
        (cap_of(100.0, young_bytes=6 * MIB), 100 + 3 * MIB, "young generation of 6 MiB is added"),
        (cap_of(100.0), 100, "holds more than the heap"),
        (cap_of(young_bytes=6 * MIB), None, "holds more than the heap"),
    ],
)
def test_half_of_the_young_generation_is_added_to_a_known_cap(cap, value, said):
    limit = module._of_anonymous(cap)

    assert value == limit.value
    assert said in limit.source
    assert ("is added" in said) is ("is added" in limit.source)
