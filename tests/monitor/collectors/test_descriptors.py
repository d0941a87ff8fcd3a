"""Real descriptors counted in real processes; the one nearest its limit speaks for all."""

from pathlib import Path

import pytest

from capacity.domain.resources import LimitState, Resource
from capacity.monitor.collectors import descriptors as module
from capacity.monitor.collectors.descriptors import DescriptorsCollector, kernel_counts_descriptors

OPEN = "import os; files = [os.open('/dev/null', os.O_RDONLY) for _ in range({})]"
LIMIT = "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, ({0}, {0}))"


def used(reading):
    return reading.used[Resource.DESCRIPTORS]


def listed(child):
    return len(list(Path(f"/proc/{child.pid}/fd").iterdir()))


@pytest.fixture(params=["counted by the kernel", "listed"])
def collector(request, monkeypatch):
    if request.param == "listed":
        monkeypatch.setattr(module, "kernel_counts_descriptors", lambda: False)
    elif not kernel_counts_descriptors():
        pytest.skip("this kernel is older than 6.2")
    return DescriptorsCollector()


def test_each_opened_file_counts_one(collector, start_child, view):
    child = start_child()
    before = used(collector.collect(view(child.pid)))
    child.do(OPEN.format(200))
    after = used(collector.collect(view(child.pid)))

    assert after - before == 200
    assert after == listed(child)


def test_the_process_nearest_its_limit_counts_not_the_one_with_most(collector, start_child, view):
    many = start_child(OPEN.format(100))
    near = start_child(f"{LIMIT.format(60)}\n{OPEN.format(50)}")
    reading = collector.collect(view(many.pid, near.pid))

    assert used(reading) == listed(near)
    assert reading.limits[0].value == 60
    assert reading.limits[0].source.startswith(f"/proc/{near.pid}/limits")


def test_workers_that_fill_up_are_counted_with_what_they_have_open_together(
    collector, start_child, view
):
    master, *workers = [start_child() for _ in "123"]
    target = view(master.pid, *(worker.pid for worker in workers))
    idle = collector.collect(target)
    for worker, files in zip(workers, (60, 40), strict=True):
        worker.do(OPEN.format(files))
    loaded = collector.collect(target)

    assert idle.gauges["filling_processes"] == 0
    assert loaded.gauges["filling_processes"] == 2
    assert loaded.gauges["filling_descriptors"] == sum(map(listed, workers))


@pytest.mark.parametrize(
    ("files", "kept", "exits"),
    [(60, 60, 1.0), (60, 0, 0.0), (4, 4, 0.0)],
    ids=["full", "emptied before", "never filled up"],
)
def test_a_worker_that_ends_while_it_is_filled_up_is_counted(
    collector, start_child, view, files, kept, exits
):
    master, worker = start_child(), start_child()
    both = view(master.pid, worker.pid)
    collector.collect(both)
    worker.do(OPEN.format(files))
    filled = collector.collect(both)
    worker.do(f"[os.close(file) for file in files[{kept}:]]")
    collector.collect(both)
    ended = [collector.collect(view(master.pid)) for _ in "12"]

    assert [0.0, exits, exits] == [
        reading.counters[module.EXITED_COUNTER] for reading in (filled, *ended)
    ]


def test_the_worker_that_fills_up_counts_though_an_idle_master_is_nearer_its_limit(
    collector, start_child, view
):
    master = start_child(f"{LIMIT.format(60)}\n{OPEN.format(20)}")
    worker = start_child(LIMIT.format(1000))
    both = view(master.pid, worker.pid)
    idle = collector.collect(both)
    worker.do(OPEN.format(100))
    loaded = collector.collect(both)

    assert used(idle) == listed(master)
    assert used(loaded) == listed(worker)
    assert [reading.gauges[module.LIMIT_GAUGE] for reading in (idle, loaded)] == [60.0, 1000.0]


@pytest.mark.parametrize(
    ("front", "behind", "fullest"), [(1000, 300, "behind"), (300, 300, "front")]
)
def test_of_a_relay_and_what_stands_behind_it_the_one_counts_that_is_full_first(
    collector, start_child, view, front, behind, fullest
):
    """The relay takes two for a connection; what has more open now is not what is full first."""
    children = {
        "front": start_child(LIMIT.format(front), ("sh", "-c", 'exec "$0" "$@" front')),
        "behind": start_child(f"{LIMIT.format(behind)}\n{OPEN.format(100)}"),
    }
    both = view(*(child.pid for child in children.values()))
    collector.collect(both)
    children["front"].do(OPEN.format(80))
    children["behind"].do("more = [os.open('/dev/null', os.O_RDONLY) for _ in range(40)]")
    reading = collector.collect(both)

    assert used(reading) == listed(children[fullest])
    assert reading.gauges["filling_processes"] == 1


def test_a_process_that_opens_a_few_files_fills_nothing(collector, start_child, view):
    full = start_child(f"{LIMIT.format(100)}\n{OPEN.format(80)}")
    other = start_child()
    both = view(full.pid, other.pid)
    collector.collect(both)
    other.do(OPEN.format(3))

    assert used(collector.collect(both)) == listed(full)


def test_of_workers_that_fill_up_the_fullest_counts(collector, start_child, view):
    workers = [start_child(LIMIT.format(1000)) for _ in range(2)]
    both = view(*(worker.pid for worker in workers))
    collector.collect(both)
    workers[0].do(OPEN.format(40))
    workers[1].do(OPEN.format(50))

    assert used(collector.collect(both)) == listed(workers[1])


def test_a_changed_limit_is_read_with_the_next_look_at_limits(collector, start_child, view):
    child = start_child(LIMIT.format(500))
    seen = [collector.collect(view(child.pid)).limits[0].value]
    child.do("import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (400, 500))")
    seen.append(collector.collect(view(child.pid)).limits[0].value)
    assert collector.limits(view(child.pid)) == ()
    seen.append(collector.collect(view(child.pid)).limits[0].value)

    assert seen == [500, 500, 400]


def test_a_process_that_ended_meanwhile_is_left_out(collector, start_child, view):
    stays, goes = start_child(), start_child()
    both = view(stays.pid, goes.pid)
    goes.end()

    assert used(collector.collect(both)) == listed(stays)


def test_without_any_process_there_is_trouble_and_no_zero(collector, start_child, view):
    child = start_child()
    gone = view(child.pid)
    child.end()
    with pytest.raises(FileNotFoundError):
        collector.collect(gone)


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("Max open files unlimited unlimited files\n", LimitState.UNLIMITED),
        ("nothing of the kind\n", LimitState.UNKNOWN),
    ],
)
def test_no_number_is_said_as_what_it_is(write_file, tmp_path, view, text, state):
    write_file("7/stat", "7 (n) S 1 " + "0 " * 40)
    write_file("7/limits", text)
    write_file("7/fd/0", "")
    collector = DescriptorsCollector()
    collector._is_counted = False  # A made-up directory has another size.
    reading = collector.collect(view(7, proc=str(tmp_path)))

    assert used(reading) == 1
    assert reading.limits[0].state is state
    assert reading.missing[module.LIMIT_GAUGE]


def test_who_grew_by_a_tenth_of_the_most_fills_up_as_well():
    collector = DescriptorsCollector()
    collector._filling({1: 10, 2: 10, 3: 10})

    assert [1, 2] == collector._filling({1: 130, 2: 22, 3: 21})


@pytest.mark.parametrize(("now", "filling"), [(14, []), (15, [1])])
def test_below_five_more_nothing_fills_up(now, filling):
    collector = DescriptorsCollector()
    collector._filling({1: 10})

    assert filling == collector._filling({1: now})
