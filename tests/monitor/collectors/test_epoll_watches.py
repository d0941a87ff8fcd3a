"""Registrations of real epoll sets, counted one by one."""

import os

import pytest

from capacity.domain.resources import Resource
from capacity.monitor.collectors import epoll_watches as module
from capacity.monitor.collectors.epoll_watches import EpollWatchesCollector

WATCH = """
import select, socket
sets, held = [select.epoll()], []
def watch(n, number=0):
    for _ in range(n):
        held.append(socket.socket())
        sets[number].register(held[-1].fileno(), select.EPOLLIN)
"""


@pytest.fixture
def collector(monkeypatch):
    monkeypatch.setattr(module, "_EVERY_S", 0.0)
    monkeypatch.setattr(module, "_COST_RATIO", 1e9)
    return EpollWatchesCollector()


def watches(collector, target):
    return collector.collect(target).used[Resource.EPOLL_WATCHES]


@pytest.mark.parametrize("count", [0, 1, 1000])
def test_every_registration_counts(collector, start_child, view, count):
    child = start_child(WATCH)
    child.do(f"watch({count})")

    assert watches(collector, view(child.pid)) == count


def test_all_sets_of_all_processes_add_up(collector, start_child, view):
    one, other = start_child(WATCH), start_child(WATCH)
    one.do("sets.append(select.epoll()); watch(5, 0); watch(7, 1)")
    other.do("watch(11)")

    assert watches(collector, view(one.pid, other.pid)) == 23


def test_what_is_closed_leaves_the_count_and_new_ones_join(collector, start_child, view):
    child = start_child(WATCH)
    child.do("watch(20)")
    before = watches(collector, view(child.pid))
    child.do("[held.pop().close() for _ in range(15)]; watch(2)")

    assert (before, watches(collector, view(child.pid))) == (20, 7)


def test_a_process_that_watches_nothing_has_none(collector, start_child, view):
    assert watches(collector, view(start_child().pid)) == 0


def test_a_set_made_later_is_found_when_it_is_looked_for_again(
    collector, start_child, view, monkeypatch
):
    monkeypatch.setattr(collector._search, "_every_s", 0.0)
    child = start_child(WATCH)
    watches(collector, view(child.pid))
    child.do("sets.append(select.epoll()); watch(3, 1)")

    assert watches(collector, view(child.pid)) == 3


def test_a_process_that_ended_takes_only_its_own_away(collector, start_child, view):
    stays, goes = start_child(WATCH), start_child(WATCH)
    stays.do("watch(4)")
    both = view(stays.pid, goes.pid)
    goes.end()

    assert watches(collector, both) == 4


def test_a_busy_loop_is_not_held_up_to_be_counted(collector, start_child, view, monkeypatch):
    monkeypatch.setattr(module, "_MOST_DESCRIPTORS", 50)
    child = start_child(WATCH)
    child.do("watch(100)")
    reading = collector.collect(view(child.pid))

    assert not reading.used
    assert "stall its event loop" in reading.missing[Resource.EPOLL_WATCHES]


def test_the_limit_is_the_users(bystander, view):
    (limit,) = EpollWatchesCollector().limits(view(bystander.pid))

    assert (limit.scope, limit.source) == ("user", "/proc/sys/fs/epoll/max_user_watches")
    assert limit.value > 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become nobody")
def test_what_nobody_may_not_see_is_refused_and_not_zero(collector, start_child, view, as_nobody):
    child = start_child(WATCH)
    child.do("watch(3)")
    with pytest.raises(PermissionError):
        as_nobody(lambda: collector.collect(view(child.pid)))


@pytest.mark.parametrize(("descriptors", "is_counted"), [(10_000, True), (10_001, False)])
def test_sets_of_processes_with_ten_thousand_descriptors_are_counted(
    collector, start_child, view, monkeypatch, descriptors, is_counted
):
    monkeypatch.setattr(module, "_most_descriptors", lambda _target: descriptors)

    assert is_counted is bool(collector.collect(view(start_child(WATCH).pid)).used)


def test_a_reading_comes_every_two_seconds_and_a_search_every_thirty():
    collector = EpollWatchesCollector()

    assert [(2.0, 0.0005), (30.0, 0.0005)] == [
        (pace.interval_s, pace._cost_ratio) for pace in (collector._pace, collector._search)
    ]


def test_the_fullest_process_says_how_many_descriptors_there_are(start_child, view):
    small, large = start_child(WATCH), start_child(WATCH)
    small.do("watch(5)")
    large.do("watch(50)")

    assert 50 < module._most_descriptors(view(small.pid, large.pid)) < 70
