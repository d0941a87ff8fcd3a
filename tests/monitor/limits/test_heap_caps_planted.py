"""Caps of heaps by the files of a host that is planted."""

import pytest

from capacity.domain.resources import LimitState
from capacity.monitor.limits.heap_caps import _jvm_heap_bytes, heap_cap
from capacity.monitor.limits.runtimes import Runtime

MIB = 1 << 20


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
