"""Heaps of real programs that hold and drop, and die where the cap says."""

import pytest

from capacity.domain.resources import LimitState, Resource
from capacity.monitor.collectors import heap as module
from capacity.monitor.collectors.heap import HeapCollector
from capacity.monitor.host.procfs import read_text

MIB = 1 << 20


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


def test_the_process_nearest_its_cap_speaks_and_one_without_does_not(start_node, start_child, view):
    far, near = start_node("--max-old-space-size=4000"), start_node("--max-old-space-size=64")
    far.do("hold 50")
    large = start_child("held = bytearray(b'x') * (90 << 20)")
    _, limit = collected(HeapCollector(), view(large.pid, far.pid, near.pid))

    assert (limit.value, str(near.pid) in limit.source) == (80 * MIB, True)


def test_an_unknown_cap_is_said_where_none_is_known(start_node, start_child, view):
    node, other = start_node(), start_child()
    _, limit = collected(HeapCollector(), view(other.pid, node.pid))

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
