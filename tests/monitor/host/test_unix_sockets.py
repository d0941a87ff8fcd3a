"""Unix-domain sockets of this process, as the kernel lists them."""

import os
import socket

import pytest

from capacity.monitor.host.unix_sockets import unix_sockets


def inode(sock):
    return os.fstat(sock.fileno()).st_ino


@pytest.fixture(params=["path", "abstract"])
def name(request, tmp_path):
    return str(tmp_path / "s") if request.param == "path" else f"\0capacity-{os.getpid()}"


def test_a_connection_leads_from_who_dialled_to_the_name_of_who_listens(name):
    shown = f"@{name[1:]}" if name.startswith("\0") else name
    with (
        socket.socket(socket.AF_UNIX) as listener,
        socket.socket(socket.AF_UNIX) as client,
    ):
        listener.bind(name)
        listener.listen()
        client.connect(name)
        with listener.accept()[0] as accepted:
            found = unix_sockets()
            dialled, taken = found[inode(client)], found[inode(accepted)]

            assert (None, inode(accepted), False) == (
                dialled.name,
                dialled.peer,
                dialled.is_listening,
            )
            assert (shown, inode(client), False) == (taken.name, taken.peer, taken.is_listening)
            assert (shown, True) == (
                found[inode(listener)].name,
                found[inode(listener)].is_listening,
            )
