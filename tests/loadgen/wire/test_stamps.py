"""Stamps of what real sockets receive."""

import socket
import time

import pytest

from capacity.loadgen.wire.stamps import ask_for_stamps, first_stamp, stamp_in

NOTES_BYTES = 64

KERNEL_TICK_S = 0.01
"""A stamp may be of the tick before."""


@pytest.fixture
def ends():
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as near,
    ):
        far, _address = server.accept()
        with far:
            yield near, far


def await_stamps(near, far):
    """Have bytes pass until they are stamped: the kernel begins with it a moment after it is asked."""
    deadline_s = time.monotonic() + 10.0
    while time.monotonic() < deadline_s:
        far.sendall(b"x")
        stamp_s = first_stamp(near)
        near.recv(1)
        if stamp_s is not None:
            return
        time.sleep(0.01)
    raise TimeoutError("nothing was stamped")


def test_a_stamp_says_when_bytes_came_and_not_when_they_are_read(ends):
    near, far = ends
    assert ask_for_stamps(near)
    await_stamps(near, far)
    before_at = time.time()
    far.sendall(b"hello")
    time.sleep(0.2)
    read_at = time.time()
    stamp_s = first_stamp(near)

    assert before_at - KERNEL_TICK_S <= stamp_s < read_at
    assert b"hello" == near.recv(10)


def test_without_asking_there_is_no_stamp(ends):
    near, far = ends
    far.sendall(b"x")
    _data, notes, _flags, _address = near.recvmsg(1, NOTES_BYTES)

    assert stamp_in(notes) is None
