"""Counts of real sockets."""

import os
import runpy
import socket
import struct
from pathlib import Path

import pytest

from capacity.monitor.host import sock_diag
from capacity.monitor.host.sock_diag import SocketTable

SOCKETS = runpy.run_path(str(Path(__file__).with_name("sockets.py")))
table = SOCKETS["table"]
opened = SOCKETS["opened"]
listen = SOCKETS["listen"]
family = SOCKETS["family"]
MESSAGES = runpy.run_path(str(Path(__file__).with_name("made_up_messages.py")))
attribute, told = MESSAGES["attribute"], MESSAGES["told"]


def connect(opened, host, port, count):
    opened += [socket.create_connection((host, port)) for _ in range(count)]


def test_a_listener_shows_its_queue_and_its_limit(table, opened):
    port, server = listen(opened, "127.0.0.1", socket.AF_INET, backlog=37)
    connect(opened, "127.0.0.1", port, 5)
    found = [entry for entry in table.listeners() if entry.port == port]

    assert len(found) == 1
    assert (found[0].address, found[0].is_loopback) == ("127.0.0.1", True)
    assert (found[0].accept_queue, found[0].accept_queue_limit) == (5, 37)
    assert found[0].inode == os.fstat(server.fileno()).st_ino


def test_connects_that_a_full_queue_dropped_are_the_listeners_own(table, opened):
    full, _ = listen(opened, "127.0.0.1", socket.AF_INET, backlog=1)
    other, _ = listen(opened, "127.0.0.1", socket.AF_INET, backlog=1)
    for _ in range(6):
        client = socket.socket()
        client.setblocking(False)
        client.connect_ex(("127.0.0.1", full))
        opened.append(client)
    drops = {entry.port: entry.drops for entry in table.listeners()}

    assert drops[full] >= 4
    assert drops[other] == 0


@pytest.mark.parametrize(
    ("host", "family"), [("127.0.0.1", socket.AF_INET), ("::1", socket.AF_INET6)]
)
def test_established_counts_only_the_asked_ports(table, opened, host, family):
    first, _ = listen(opened, host, family)
    second, _ = listen(opened, host, family)
    connect(opened, host, first, 30)
    connect(opened, host, second, 4)

    assert table.established(family, {first}) == 30
    assert table.established(family, {first, second}) == 34
    assert table.established(family, {second, 1, 2, 3}) == 4
    assert table.established(family, set()) == 0


def test_connections_of_a_dual_stack_listener_belong_to_ipv6(table, opened):
    server = socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True)
    opened.append(server)
    port = server.getsockname()[1]
    connect(opened, "127.0.0.1", port, 3)

    assert table.established(socket.AF_INET6, {port}) == 3
    assert table.established(socket.AF_INET, {port}) == 0


def test_a_closed_connection_is_no_longer_counted(table, opened):
    port, server = listen(opened, "127.0.0.1", socket.AF_INET)
    client = socket.create_connection(("127.0.0.1", port))
    accepted, _ = server.accept()
    before = table.established(socket.AF_INET, {port})
    client.close()
    accepted.close()

    assert (before, table.established(socket.AF_INET, {port})) == (1, 0)


def test_many_sockets_come_in_several_parts_and_are_all_counted(table, opened):
    port, _ = listen(opened, "127.0.0.1", socket.AF_INET, backlog=4096)
    connect(opened, "127.0.0.1", port, 900)

    assert table.established(socket.AF_INET, {port}) == 900


def test_a_refusal_of_the_kernel_is_an_os_error(table):
    with pytest.raises(OSError, match="sock_diag"):
        list(table._dump(socket.AF_INET, (1,), b"\xff\xff\xff\xff"))


def test_after_a_refusal_the_next_answer_is_the_right_one(table, opened):
    port, _ = listen(opened, "127.0.0.1", socket.AF_INET)
    connect(opened, "127.0.0.1", port, 2)
    with pytest.raises(OSError, match="sock_diag"):
        list(table._dump(socket.AF_INET, (1,), b"\xff\xff\xff\xff"))

    assert table.established(socket.AF_INET, {port}) == 2


def test_what_was_sent_is_told_of_the_asked_ports_alone(table, opened):
    port, server = listen(opened, "127.0.0.1", socket.AF_INET)
    connect(opened, "127.0.0.1", port, 2)
    accepted = [server.accept()[0] for _ in range(2)]
    opened += accepted
    before, _ = table.sent(socket.AF_INET, {port})
    for _ in range(10):
        for each in accepted:
            each.sendall(b"x")
    after, again = table.sent(socket.AF_INET, {port})

    assert 20 == after - before
    assert 0 == again
    assert (0, 0) == table.sent(socket.AF_INET6, {port})
    assert (0, 0) == table.sent(socket.AF_INET, ())


def test_a_kernel_that_does_not_answer_is_waited_for_five_seconds(table):
    assert 5.0 == table._netlink.gettimeout()


@pytest.mark.parametrize(("words", "drops"), [(9, 77), (8, None)])
def test_drops_are_the_ninth_word_of_a_sockets_memory(words, drops):
    memory = struct.pack(f"={words}I", *[1, 2, 3, 4, 5, 6, 7, 8, 77][:words])

    assert drops == sock_diag._drops(told(attribute(7, memory)), 0)


@pytest.mark.parametrize(("cut_bytes", "sent"), [(0, (7, 3)), (1, (0, 0))])
def test_what_was_sent_again_is_told_apart(cut_bytes, sent):
    """tcpi_total_retrans and tcpi_segs_out lie at 100 and 136 of struct tcp_info."""

    class Answered(SocketTable):
        def _dump(self, *_asked):
            info = bytes(100) + b"\3\0\0\0" + bytes(32) + b"\7\0\0\0"
            return [told(attribute(2, info[: len(info) - cut_bytes]))] * 2

    table = Answered()
    table.close()

    assert tuple(2 * each for each in sent) == table.sent(socket.AF_INET, {1})
