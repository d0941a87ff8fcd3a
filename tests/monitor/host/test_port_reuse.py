"""Ports of closed connections: which are taken, as the kernel's settings say."""

import socket

import pytest

from capacity.monitor.host.port_reuse import PortReuse, port_reuse

LOOPBACK = socket.inet_aton("127.0.0.1") + bytes(12)
LOOPBACK_6 = socket.inet_pton(socket.AF_INET6, "::1")
MAPPED = socket.inet_pton(socket.AF_INET6, "::ffff:127.0.0.1")
OUTSIDE = socket.inet_aton("192.0.2.7") + bytes(12)
OUTSIDE_6 = socket.inet_pton(socket.AF_INET6, "2001:db8::7f")


@pytest.mark.parametrize("local", [LOOPBACK, LOOPBACK_6, MAPPED, OUTSIDE, OUTSIDE_6])
@pytest.mark.parametrize(("mode", "is_taken"), [(0, True), (1, False)])
def test_zero_keeps_every_port_and_one_gives_back_every_port(mode, is_taken, local):
    assert PortReuse(mode=mode).is_taken(local, 30.0) is is_taken


@pytest.mark.parametrize("local", [LOOPBACK, LOOPBACK_6, MAPPED])
def test_two_gives_back_those_of_loopback(local):
    assert not PortReuse(mode=2).is_taken(local, 30.0)


@pytest.mark.parametrize("local", [OUTSIDE, OUTSIDE_6])
def test_two_keeps_those_that_lead_elsewhere(local):
    assert PortReuse(mode=2).is_taken(local, 30.0)


@pytest.mark.parametrize(("left_s", "is_taken"), [(59.01, True), (58.99, False)])
def test_a_port_is_given_back_after_the_delay_and_not_before(left_s, is_taken):
    assert PortReuse(mode=2, after_s=1.0).is_taken(LOOPBACK, left_s) is is_taken


def written(tmp_path, **settings):
    folder = tmp_path / "sys/net/ipv4"
    folder.mkdir(parents=True)
    for name, value in settings.items():
        (folder / name).write_text(f"{value}\n")
    return str(tmp_path)


def test_the_delay_is_read_where_the_kernel_has_one(tmp_path):
    proc = written(tmp_path, tcp_tw_reuse=1, tcp_timestamps=1, tcp_tw_reuse_delay=250)

    assert port_reuse(proc) == PortReuse(mode=1, after_s=0.25)


def test_an_older_kernel_waits_a_second(tmp_path):
    assert port_reuse(written(tmp_path, tcp_tw_reuse=2, tcp_timestamps=1)).after_s == 1.0


def test_without_timestamps_no_port_is_given_back(tmp_path):
    assert port_reuse(written(tmp_path, tcp_tw_reuse=1, tcp_timestamps=0)).mode == 0


@pytest.mark.parametrize("mode", [0, 1, 2, 3])
def test_another_kind_of_reuse_keeps_every_port(mode):
    assert (mode not in {1, 2}) is PortReuse(mode=mode).is_taken(LOOPBACK, 30.0)


@pytest.mark.parametrize(("left_s", "is_taken"), [(59.1, True), (58.9, False)])
def test_a_port_is_given_back_after_a_second_where_the_kernel_does_not_say(left_s, is_taken):
    assert is_taken is PortReuse(mode=1).is_taken(OUTSIDE, left_s)


@pytest.mark.parametrize(
    ("address", "is_loopback"),
    [
        ("127.255.0.1", True),
        ("126.0.0.1", False),
        ("::1", True),
        ("::2", False),
        ("1::1", False),
        ("::ffff:127.9.9.9", True),
        ("::ffff:126.0.0.1", False),
        ("::127.0.0.1", False),
        ("7f00::1", False),
    ],
)
def test_an_address_is_of_loopback_in_any_of_its_ways(address, is_loopback):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    local = socket.inet_pton(family, address).ljust(16, b"\0")

    assert is_loopback is not PortReuse(mode=2).is_taken(local, 30.0)
