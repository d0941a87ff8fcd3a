"""Which processes are asked, when their files are read again, and what a whole target says."""

import os
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from capacity.domain.resources import APPLICATION, LimitState
from capacity.monitor.host.discovery import Selector
from capacity.monitor.host.listeners import TargetListeners
from capacity.monitor.host.procfs import TICKS_PER_S
from capacity.monitor.host.target import Target, TargetView, process_tree, read_stat
from capacity.monitor.limits.applications import applications as module
from capacity.monitor.limits.applications.applications import Applications
from capacity.monitor.limits.applications.config_files import Files


@pytest.fixture
def look():
    """Return what applications say of the processes below *pids*."""

    def read(applications, *pids):
        stats = {pid: read_stat(pid) for pid in process_tree(pids)}
        view = TargetView(name="x", started_at=1.0, stats=stats)
        with closing(TargetListeners()) as listeners:
            return applications.limits(view, listeners.read(view))

    return read


@pytest.fixture
def start_memcached(start_server, free_port):
    def start(most):
        port = free_port()
        return start_server(
            "memcached", "-u", "root", "-l", "127.0.0.1", "-p", port, "-c", most, port=port
        )

    return start


@pytest.fixture
def start_lighttpd(start_server, free_port, tmp_path):
    def start(most):
        port = free_port()
        path = tmp_path / f"lighttpd-{port}.conf"
        path.write_text(
            f'server.document-root = "/"\nserver.port = {port}\nserver.max-connections = {most}\n'
        )
        return start_server("lighttpd", "-D", "-f", path, port=port), path

    return start


def test_a_target_without_a_known_server_says_nothing(start_child, look):
    applications = Applications()

    assert look(applications, start_child().pid) == []
    assert applications.entries == ()


def test_several_applications_of_a_target_hold_for_their_own_ports(
    start_memcached, start_lighttpd, look
):
    memcached, (lighttpd, _) = start_memcached(60), start_lighttpd(9)
    limits = look(Applications(), memcached.process.pid, lighttpd.process.pid)

    assert {limit.ports: limit.value for limit in limits} == {
        (memcached.port,): 36,
        (lighttpd.port,): 9,
    }
    assert {limit.scope for limit in limits} == {APPLICATION}


def test_files_are_read_again_only_when_they_change(start_lighttpd, look, monkeypatch):
    lighttpd, path = start_lighttpd(9)
    read = []
    text = Files.text
    monkeypatch.setattr(Files, "text", lambda self, path: read.append(path) or text(self, path))
    applications = Applications()
    first, again = (look(applications, lighttpd.process.pid) for _ in range(2))
    once = len(read)
    path.write_text(path.read_text().replace("= 9", "= 11"))
    os.utime(path, (time.time() + 60, time.time() + 60))
    (changed,) = look(applications, lighttpd.process.pid)

    assert first == again
    assert (once, len(read)) == (1, 2)
    assert changed.value == 11
    assert "changed after the process started" in changed.source


def test_a_file_that_is_gone_is_unknown_with_its_name(start_lighttpd, look):
    lighttpd, path = start_lighttpd(9)
    path.unlink()
    (limit,) = look(Applications(), lighttpd.process.pid)

    assert limit.state is LimitState.UNKNOWN
    assert str(path) in limit.reason


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become nobody")
def test_what_is_not_ours_to_read_says_who_may(start_lighttpd, look, as_nobody):
    lighttpd, _ = start_lighttpd(9)
    stats = {lighttpd.process.pid: read_stat(lighttpd.process.pid)}
    view = TargetView(name="x", started_at=1.0, stats=stats)
    (limit,) = as_nobody(lambda: Applications().limits(view))

    assert limit.state is LimitState.UNKNOWN
    assert "run the agent as the target's user or as root" in limit.reason


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become nobody")
def test_whoever_sees_the_same_root_reads_what_everybody_may_read(
    start_server, free_port, as_nobody, open_folder
):
    port, path = free_port(), open_folder / "lighttpd.conf"
    path.write_text(
        f'server.document-root = "/"\nserver.port = {port}\nserver.max-connections = 9\n'
    )
    lighttpd = start_server("lighttpd", "-D", "-f", path, port=port)
    stats = {lighttpd.process.pid: read_stat(lighttpd.process.pid)}
    view = TargetView(name="x", started_at=1.0, stats=stats)
    (limit,) = as_nobody(lambda: Applications().limits(view))

    assert limit.value == 9


def test_of_a_target_of_very_many_processes_the_first_are_looked_at(
    start_memcached, start_child, look, monkeypatch
):
    monkeypatch.setattr(module, "MOST_NAMED", 1)
    memcached, child = start_memcached(60), start_child()

    assert look(Applications(), child.pid, memcached.process.pid) == []
    assert len(look(Applications(), memcached.process.pid, child.pid)) == 1


def test_beyond_a_bound_applications_are_counted_and_not_read(start_memcached, look, monkeypatch):
    monkeypatch.setattr(module, "MOST_APPLICATIONS", 1)
    servers = [start_memcached(60), start_memcached(70)]
    applications = Applications()
    look(applications, *(server.process.pid for server in servers))

    assert "2 applications" in applications.entries[-1].reason


def test_of_very_many_settings_all_count_and_not_all_are_shown(start_memcached, look, monkeypatch):
    monkeypatch.setattr(module, "MOST_SHOWN", 0)
    memcached = start_memcached(60)
    applications = Applications()

    assert [limit.value for limit in look(applications, memcached.process.pid)] == [36]
    assert [(entry.value, entry.unit) for entry in applications.entries] == [(1, "settings")]


def is_nginx_worker(pid):
    return b"worker process" in Path(f"/proc/{pid}/cmdline").read_bytes()


@pytest.mark.parametrize("asked", ["master", "worker"])
def test_a_worker_is_asked_through_its_master(
    start_server, free_port, look, wait_until, tmp_path, asked
):
    port = free_port()
    path = tmp_path / "nginx.conf"
    path.write_text(
        f"daemon off; user root root; worker_processes 2; pid {tmp_path}/pid; error_log {tmp_path}/e;"
        f"events {{ worker_connections 20; }} http {{ access_log off; server {{ listen 127.0.0.1:{port}; }} }}"
    )
    nginx = start_server("nginx", "-c", path, port=port)
    # A worker is one as soon as it calls itself so.
    wait_until(lambda: 2 == sum(map(is_nginx_worker, process_tree((nginx.process.pid,)))))
    pids = process_tree((nginx.process.pid,))
    (limit,) = look(Applications(), pids[0] if asked == "master" else pids[1])

    assert f"{path}:1: worker_connections 20" in limit.source
    assert limit.value == (18 if asked == "worker" else 36)


@pytest.fixture
def start_nginx_with(start_server, free_port, tmp_path):
    """Start an nginx with so many connections for its one worker."""

    def start(connections):
        port = free_port()
        folder = tmp_path / str(port)
        folder.mkdir()
        path = folder / "nginx.conf"
        path.write_text(
            f"daemon off; user root root; pid {folder}/pid; error_log {folder}/e;"
            f"events {{ worker_connections {connections}; }}"
            f"http {{ access_log off; server {{ listen 127.0.0.1:{port}; }} }}"
        )
        return start_server("nginx", "-c", path, port=port)

    return start


@pytest.mark.parametrize(("changed_after_s", "is_newer"), [(1800, False), (5400, True)])
def test_a_file_is_newer_than_the_youngest_worker_or_it_counts(
    start_nginx_with, wait_until, changed_after_s, is_newer
):
    """A reload starts new workers, here as if an hour later, and they have read the file anew."""
    nginx = start_nginx_with(20)
    wait_until(lambda: 1 == sum(map(is_nginx_worker, process_tree((nginx.process.pid,)))))
    stats = {pid: read_stat(pid) for pid in process_tree((nginx.process.pid,))}
    master, worker = stats
    stats[worker] = replace(
        stats[worker], started_ticks=stats[worker].started_ticks + 3600 * TICKS_PER_S
    )
    (path,) = Path("/proc", str(master), "cmdline").read_text().rstrip("\0").split("-c ")[1:]
    changed_at = time.time() + changed_after_s
    os.utime(path, (changed_at, changed_at))
    (limit,) = Applications().limits(TargetView(name="x", started_at=1.0, stats=stats))

    assert is_newer is ("changed after the process started" in limit.source)


def test_two_masters_of_one_program_have_each_their_own_ports(start_nginx_with, look, wait_until):
    few, many = start_nginx_with(20), start_nginx_with(30)
    pids = [few.process.pid, many.process.pid]
    wait_until(lambda: 2 == sum(map(is_nginx_worker, process_tree(tuple(pids)))))
    limits = look(Applications(), *pids)

    assert {limit.ports: limit.value for limit in limits} == {(few.port,): 18, (many.port,): 28}


REWRITTEN = """
import ctypes, os
fields = open("/proc/self/stat").read().rpartition(")")[2].split()
begin, end = int(fields[45]), int(fields[46])
os.chroot(FOLDER)
os.chdir("/")
words = b"nginx: master process /usr/sbin/nginx -c /etc/own.conf"
ctypes.memmove(begin, words.ljust(end - begin, b"\\0"), end - begin)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may change its root")
def test_a_process_that_rewrote_its_words_is_read_below_its_own_root(start_child, look, tmp_path):
    for folder in ("proc", "etc"):
        (tmp_path / folder).mkdir()
    # Outside of its root the name leads to what nobody asked for.
    (tmp_path / "etc/own.conf").symlink_to("/etc/real.conf")
    (tmp_path / "etc/real.conf").write_text("events { worker_connections 20; }\n")
    child = start_child(REWRITTEN.replace("FOLDER", repr(str(tmp_path))))
    (limit,) = look(Applications(), child.pid)

    assert limit.value == 18
    assert limit.source.startswith("/etc/own.conf:1: worker_connections 20")


def test_a_view_that_the_target_makes_is_enough(start_memcached):
    memcached = start_memcached(60)
    target = Target(Selector(port=memcached.port))
    target.resolve()
    (limit,) = Applications().limits(target.view())

    assert limit.value == 36
