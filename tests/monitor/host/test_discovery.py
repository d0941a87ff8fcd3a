"""Real processes found by what they hold, what they are called and who started them."""

import os
import socket
from pathlib import Path

import pytest

from capacity.domain.errors import ConfigError, UnreachableError
from capacity.monitor.host import discovery
from capacity.monitor.host.discovery import Selector, find_roots, held_sockets, pid_in

LISTEN = "import os, socket; s = socket.create_server(('127.0.0.1', 0)); print(s.getsockname()[1])"
PREFORK = f"""
{LISTEN}
pids = []
for _ in range(3):
    pid = os.fork()
    if not pid:
        import signal; signal.pause()
    pids.append(pid)
print(*pids)
"""
REUSEPORT = """
import os, signal, socket
def opened(port):
    s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    s.bind(("127.0.0.1", port)); return s
first = opened(0); port = first.getsockname()[1]
pids = []
for _ in range(2):
    read, write = os.pipe()
    pid = os.fork()
    if not pid:
        s = opened(port); s.listen(); first.close(); os.write(write, b"x"); signal.pause()
    os.read(read, 1); pids.append(pid)
first.close()
print(port)
print(*pids)
"""
RENAME = "open('/proc/self/comm', 'w').write('cap-test-{}')"
END = "import signal; [os.kill(pid, signal.SIGKILL) or os.waitpid(pid, 0) for pid in pids]"


def test_a_port_is_found_by_who_holds_its_socket(start_child):
    child = start_child(LISTEN)

    assert find_roots(Selector(port=int(child.said[0]))) == (child.pid,)


def test_the_master_of_prefork_workers_is_the_root(start_child):
    child = start_child(PREFORK)

    assert find_roots(Selector(port=int(child.said[0]))) == (child.pid,)
    child.do(END)


def test_workers_that_each_opened_the_port_have_their_like_named_parent_as_root(start_child):
    child = start_child(REUSEPORT)

    assert find_roots(Selector(port=int(child.said[0]))) == (child.pid,)
    child.do(END)


def test_workers_without_a_like_named_parent_are_roots_side_by_side(start_child):
    child = start_child(REUSEPORT)
    child.do(RENAME.format("other"))

    assert find_roots(Selector(port=int(child.said[0]))) == tuple(map(int, child.said[1].split()))
    child.do(END)


def test_a_name_must_match_whole(start_child):
    child = start_child(RENAME.format(os.getpid() % 10_000))
    name = f"cap-test-{os.getpid() % 10_000}"

    assert find_roots(Selector(name=name)) == (child.pid,)
    with pytest.raises(UnreachableError, match="must match exactly"):
        find_roots(Selector(name=name[:-1]))


def test_a_pid_is_taken_as_it_is(start_child):
    child = start_child()

    assert find_roots(Selector(pid=child.pid)) == (child.pid,)


def test_a_port_that_nobody_listens_on_is_an_error_with_a_remedy():
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        with pytest.raises(UnreachableError, match=f"nothing listens on TCP port {port}.*--pid"):
            find_roots(Selector(port=port))


def test_our_own_port_is_no_target():
    with (
        socket.create_server(("127.0.0.1", 0)) as own,
        pytest.raises(UnreachableError, match="it is not visible"),
    ):
        find_roots(Selector(port=own.getsockname()[1]))


def test_a_pid_that_ended_is_an_error_with_a_remedy(start_child):
    child = start_child()
    child.end()
    with pytest.raises(UnreachableError, match=f"no process {child.pid}.*--port"):
        find_roots(Selector(pid=child.pid))


def test_held_sockets_are_the_inodes_of_open_sockets():
    with socket.socket() as one:
        inode = os.fstat(one.fileno()).st_ino

        assert inode in held_sockets(os.getpid())
    assert inode not in held_sockets(os.getpid())


def test_a_pidfile_names_the_process(start_child, tmp_path):
    child, file = start_child(), tmp_path / "pid"
    file.write_text(f" {child.pid}\nsomething of the program's own\n")

    assert find_roots(Selector(pidfile=file)) == (child.pid,)


@pytest.mark.parametrize(
    "text", ["", "\n12\n", "12a", "-1", "0", "99999999999", "4194305", "\u0661\u0662"]
)
def test_a_pidfile_without_a_number_is_an_error(tmp_path, text):
    (tmp_path / "pid").write_text(text)
    with pytest.raises(UnreachableError, match=f"--pidfile {tmp_path}/pid: holds no process id"):
        find_roots(Selector(pidfile=tmp_path / "pid"))


def test_a_pidfile_that_is_absent_or_stale_is_an_error_with_a_remedy(start_child, tmp_path):
    file = tmp_path / "pid"
    with pytest.raises(UnreachableError, match="No such file or directory; start the target"):
        find_roots(Selector(pidfile=file))
    child = start_child()
    child.end()
    file.write_text(str(child.pid))
    with pytest.raises(UnreachableError, match=f"--pidfile {file} is stale"):
        find_roots(Selector(pidfile=file))


def test_a_command_line_is_found_with_the_master_of_its_workers(start_child):
    child = start_child(f"'planted-{os.getpid()}'\n{PREFORK}")

    assert find_roots(Selector(cmdline=f"'planted-{os.getpid()}'")) == (child.pid,)
    child.do(END)


@pytest.mark.parametrize("count", [2, 7])
def test_several_targets_are_listed_and_none_is_taken(start_child, count):
    word = f"planted-{os.getpid()}-{count}"
    children = [start_child(f"{RENAME.format(count)}  # {word}") for _ in range(count)]
    pids = sorted(child.pid for child in children)
    for how in ({"cmdline": f"# {word}"}, {"name": f"cap-test-{count}"}):
        with pytest.raises(ConfigError) as caught:
            find_roots(Selector(**how))
        said = str(caught.value)

        assert f"matches {count} targets: {pids[0]} (" in said
        assert (str(pids[4 if count > 5 else -1]) in said, f" and {count - 5} more" in said) == (
            True,
            count > 5,
        )
        assert said.endswith("; choose one with --pid, --port or --unit")


def test_a_cgroup_without_a_process_is_an_error(v1_cgroup, start_child):
    group = v1_cgroup("pids", child := start_child())
    path = f"/{group.name}"

    assert find_roots(Selector(cgroup=path)) == (child.pid,)
    child.end()
    with pytest.raises(UnreachableError, match=f"cgroup {path} matches no visible process"):
        find_roots(Selector(cgroup=path))


@pytest.mark.parametrize(
    ("selector", "text"),
    [
        (Selector(pid=7), "process 7"),
        (Selector(port=80), "port 80"),
        (Selector(name="nginx"), "process name 'nginx'"),
        (Selector(cmdline="-c x"), "command line '-c x'"),
        (Selector(pidfile=Path("/run/x.pid")), "the process in /run/x.pid"),
        (Selector(unit="x.service"), "unit x.service"),
        (Selector(cgroup="/x"), "cgroup /x"),
    ],
)
def test_a_selector_says_what_was_asked(selector, text):
    assert str(selector) == text


def test_the_highest_number_that_a_process_can_have_is_one(tmp_path):
    (tmp_path / "pid").write_text(str(1 << 22))
    with pytest.raises(UnreachableError, match="is stale"):
        find_roots(Selector(pidfile=tmp_path / "pid"))


@pytest.mark.parametrize(("text", "pid"), [("1\n", 1), ("4194304\nmore", 4_194_304), (" 7 ", 7)])
def test_a_pidfile_begins_with_a_number(tmp_path, text, pid):
    (tmp_path / "pid").write_text(text)

    assert pid == pid_in(tmp_path / "pid")


@pytest.mark.parametrize("text", ["0", "-1", "4194305", "7 8", "", "\n7", "²"])
def test_what_is_no_number_of_a_process_is_refused(tmp_path, text):
    (tmp_path / "pid").write_text(text + "x" * 0)

    with pytest.raises(UnreachableError, match="holds no process id"):
        pid_in(tmp_path / "pid")


def test_of_what_a_pidfile_holds_instead_twenty_letters_are_shown(tmp_path):
    (tmp_path / "pid").write_text("x" * 50)

    with pytest.raises(UnreachableError, match=rf"\(got '{'x' * 20}'\)"):
        pid_in(tmp_path / "pid")


@pytest.mark.parametrize(("count", "more"), [(5, ""), (6, " and 1 more"), (9, " and 4 more")])
def test_five_of_many_targets_are_listed_by_sixty_letters(monkeypatch, count, more):
    monkeypatch.setattr(discovery, "command_line", lambda pid: f"{pid}:" + "x" * 100)
    with pytest.raises(ConfigError) as raised:
        discovery._only(Selector(name="n"), tuple(range(1, count + 1)))
    said = str(raised.value)

    assert f"matches {count} targets: 1 (1:{'x' * 58}), 2 (" in said
    assert f"5 (5:{'x' * 58}){more}; choose one" in said
