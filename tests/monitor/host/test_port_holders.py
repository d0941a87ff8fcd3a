"""Real listeners and relays, on loopback and in network namespaces of their own."""

import os
import socket
import subprocess

import pytest

from capacity.monitor.host import port_holders as port_holders_module
from capacity.monitor.host.port_holders import port_holders

LISTEN = (
    "import socket\n"
    "server = socket.create_server(('127.0.0.1', 0), backlog=64)\n"
    "print(server.getsockname()[1], flush=True)"
)
NOBODYS_PORT = 8213
"""Below the ports that the kernel chooses from, so that no test beside this one has it."""
CONNECT = "held = [socket.create_connection(('127.0.0.1', {port})) for _ in range({count})]"


@pytest.fixture
def listener(start_child):
    """Start a process that listens; returns it and its port."""

    def start():
        child = start_child(LISTEN)
        return child, int(child.said[0])

    return start


def test_the_watched_process_is_told_as_such(listener, view):
    child, port = listener()
    [holder] = port_holders(port, view(child.pid))

    assert (child.pid, True, ()) == (holder.pid, holder.is_watched, holder.destinations)
    assert holder.name.startswith("python")


def test_another_process_on_the_port_is_named(listener, view, bystander):
    child, port = listener()
    [holder] = port_holders(port, view(bystander.pid))

    assert (child.pid, False) == (holder.pid, holder.is_watched)


HAND_OVER = "import os, signal; served = os.fork() or signal.pause(); print(served, flush=True)"


@pytest.mark.parametrize("is_served", [True, False])
def test_who_keeps_the_socket_for_another_is_named_only_where_nobody_else_holds_it(
    listener, view, bystander, monkeypatch, is_served
):
    init, port = listener()
    monkeypatch.setattr(port_holders_module, "_INIT", init.pid)
    pid = int(init.do(HAND_OVER)[0]) if is_served else init.pid
    [holder] = port_holders(port, view(bystander.pid))
    if is_served:
        init.do("os.kill(served, 9); os.waitpid(served, 0)")

    assert pid == holder.pid


def test_nobody_listens_on_a_port_that_is_free(view, bystander):
    assert () == port_holders(NOBODYS_PORT, view(bystander.pid))


def test_a_relay_is_told_with_who_stands_behind(listener, view):
    service, behind = listener()
    relay, port = listener()
    relay.do(CONNECT.format(port=behind, count=3))
    [holder] = port_holders(port, view(service.pid))
    [destination] = holder.destinations

    assert (relay.pid, False) == (holder.pid, holder.is_watched)
    assert ("127.0.0.1", behind, 3) == (
        destination.address,
        destination.port,
        destination.connections,
    )
    assert (service.pid, True) == (destination.pid, destination.is_watched)


def test_connections_that_a_process_accepts_lead_nowhere(listener, view):
    child, port = listener()
    clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(3)]
    child.do("accepted = [server.accept() for _ in range(3)]")
    [holder] = port_holders(port, view(child.pid))

    assert () == holder.destinations
    for client in clients:
        client.close()


def test_workers_that_share_a_port_are_one_holder_with_all_their_destinations(listener, view):
    _service, behind = listener()
    master, port = listener()
    fork = (
        "import os, signal\n"
        "worker = os.fork()\n"
        "if worker == 0:\n"
        f"    {CONNECT.format(port=behind, count=2)}\n"
        "    os.write(told[1], b'x')\n"
        "    signal.pause()\n"
        "os.read(told[0], 1)"
    )
    master.do("import os; told = os.pipe()")
    master.do(f"exec({fork!r})")
    [holder] = port_holders(port, view(master.pid))

    assert (master.pid, [2]) == (holder.pid, [each.connections for each in holder.destinations])
    master.do("os.kill(worker, 9)")


def test_the_port_of_a_target_in_a_namespace_of_its_own_is_found(start_elsewhere, view):
    up = "import os; os.system('ip link set lo up')\n"
    child = start_elsewhere(up + LISTEN.replace("0)", f"{NOBODYS_PORT})"))
    [holder] = port_holders(NOBODYS_PORT, view(child.pid))

    assert (child.pid, True) == (holder.pid, holder.is_watched)


def test_what_stands_behind_in_a_namespace_of_its_own_is_found(
    start_elsewhere, listener, view, run_there
):
    service = start_elsewhere()
    link, inner = f"cap{os.getpid() % 100_000}", "10.213.77.2"
    commands = (
        f"ip link add {link} type veth peer name eth0 netns {service.pid}",
        f"ip addr add 10.213.77.1/30 dev {link}",
        f"ip link set {link} up",
    )
    for command in commands:
        if subprocess.run(command.split(), capture_output=True, check=False).returncode:
            pytest.skip("ip and a pair of virtual interfaces are needed")
    try:
        run_there(service.pid, f"ip addr add {inner}/30 dev eth0; ip link set eth0 up")
        service.do("import socket; server = socket.create_server(('', 8080))")
        relay, port = listener()
        relay.do(f"held = socket.create_connection(('{inner}', 8080), 5)")
        [holder] = port_holders(port, view(relay.pid))
        [destination] = holder.destinations

        assert (inner, 8080, service.pid) == (
            destination.address,
            destination.port,
            destination.pid,
        )
        assert (True, False) == (holder.is_watched, destination.is_watched)
    finally:
        subprocess.run(["ip", "link", "del", link], capture_output=True, check=False)


def test_what_is_not_ours_to_look_into_is_left_out(listener, view, as_nobody):
    if os.geteuid():
        pytest.skip("only root can become somebody else")
    child, port = listener()

    assert () == as_nobody(lambda: port_holders(port, view(child.pid)))


def test_a_relay_over_a_unix_socket_is_told_with_who_stands_behind(
    listener, start_child, tmp_path, view
):
    path = str(tmp_path / "behind")
    behind = start_child(
        f"import socket; server = socket.socket(socket.AF_UNIX); server.bind({path!r}); server.listen()"
    )
    relay, port = listener()
    relay.do(
        "held = [socket.socket(socket.AF_UNIX) for _ in '123']\n"
        f"for each in held: each.connect({path!r})"
    )
    behind.do("taken = [server.accept() for _ in '123']")
    [holder] = port_holders(port, view(relay.pid))
    [destination] = holder.destinations

    assert (f"unix:{path}", 0, 3) == (
        destination.address,
        destination.port,
        destination.connections,
    )
    assert (behind.pid, False) == (destination.pid, destination.is_watched)
