"""Bytes over the real loopback, and made-up hosts with routes and link speeds."""

import socket
import time
from types import SimpleNamespace

import pytest

from capacity.domain.resources import LimitState, Resource
from capacity.monitor.collectors import network
from capacity.monitor.collectors.network import NetworkCollector, routed_interfaces
from capacity.monitor.host.listeners import TargetListeners

SERVE = """
import socket
s = socket.create_server(({!r}, 0))
print(s.getsockname()[1])
def drain():
    c = s.accept()[0]
    while c.recv(65536): pass
"""
DEV = "Inter-|\n face |\n"
ROUTE = "Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT\n"


def row(name, received, sent):
    return f"{name}: {received} 0 0 0 0 0 0 0 {sent} 0 0 0 0 0 0 0\n"


def test_bytes_to_a_loopback_target_are_the_loopbacks(start_child, view, listeners):
    child = start_child(SERVE.format("127.0.0.1"))
    listeners.read(view(child.pid))
    collector = NetworkCollector(listeners)
    collector.limits(view(child.pid))
    before_s = time.monotonic()
    first = collector.collect(view(child.pid))
    began_s = time.monotonic()
    with socket.create_connection(("127.0.0.1", int(child.said[0]))) as client:
        client.sendall(bytes(500_000))
        client.shutdown(socket.SHUT_WR)
        child.do("drain()")
    ended_s = time.monotonic()
    second = collector.collect(view(child.pid))
    after_s = time.monotonic()
    per_s = second.used[Resource.NETWORK_OUT]

    counted = second.counters["network_tx_bytes"] - first.counters["network_tx_bytes"]

    assert counted >= 500_000
    assert per_s * (ended_s - began_s) <= counted <= per_s * (after_s - before_s)
    assert [limit.state for limit in first.limits] == [LimitState.UNLIMITED]
    assert second.limits == ()


@pytest.fixture
def host(write_file, made_up_proc, view):
    """A made-up host: interfaces with their counters, routes, speeds."""

    def make(dev, route="", speeds=()):
        write_file("7/net/dev", DEV + dev)
        write_file("7/net/route", ROUTE + route)
        for name, text in dict(speeds).items():
            write_file(f"sys/class/net/{name}/speed", text)
        return view(7, proc=made_up_proc)

    return make


@pytest.fixture
def collector(tmp_path):
    return NetworkCollector(TargetListeners(), str(tmp_path / "sys"))


DEFAULT = "eth0 00000000 0102A8C0 0003 0 0 0 00000000 0 0 0\n"
LOCAL = "docker0 000011AC 00000000 0001 0 0 0 0000FFFF 0 0 0\n"


def test_the_interface_of_the_default_route_counts_alone(host, collector):
    dev = row("lo", 1, 1) + row("eth0", 100, 200) + row("docker0", 7, 7)
    target = host(dev, DEFAULT + LOCAL, {"eth0": "1000\n"})
    collector.limits(target)
    reading = collector.collect(target)

    assert reading.counters == {"network_rx_bytes": 100, "network_tx_bytes": 200}
    assert reading.limits[0].value == 125_000_000
    assert reading.limits[0].source.endswith("/class/net/eth0/speed")
    assert "needs two" in reading.missing[Resource.NETWORK_OUT]


def test_without_a_default_route_all_but_the_loopback_count(host, collector):
    speeds = {"eth0": "1000\n", "eth1": "100\n"}
    target = host(row("lo", 1, 1) + row("eth0", 10, 20) + row("eth1", 1, 2), LOCAL, speeds)
    collector.limits(target)
    reading = collector.collect(target)

    assert reading.counters == {"network_rx_bytes": 11, "network_tx_bytes": 22}
    assert reading.limits[0].value == 137_500_000


def test_the_loopback_counts_where_there_is_nothing_else(host, collector):
    target = host(row("lo", 5, 6))

    assert collector.collect(target).counters["network_tx_bytes"] == 6


@pytest.mark.parametrize("speed", ["-1\n", "0\n", "", None])
def test_a_link_that_does_not_say_its_speed_is_an_unknown_limit(host, collector, speed):
    speeds = {} if speed is None else {"eth0": speed}
    (limit,) = collector.collect(host(row("eth0", 1, 1), speeds=speeds)).limits

    assert (limit.state, limit.value) == (LimitState.UNKNOWN, None)
    assert limit.reason


def test_one_silent_link_of_two_makes_the_sum_unknown(host, collector):
    target = host(row("eth0", 1, 1) + row("eth1", 1, 1), speeds={"eth0": "1000", "eth1": "-1"})
    (limit,) = collector.collect(target).limits

    assert limit.state is LimitState.UNKNOWN
    assert "eth1" in limit.reason


def test_speeds_of_another_namespace_are_not_taken_for_the_targets(
    host, collector, tmp_path, write_file
):
    target = host(row("eth0", 1, 1), speeds={"eth0": "1000"})
    (tmp_path / "7/net/tcp").unlink()
    write_file("7/net/tcp", "")
    (limit,) = collector.collect(target).limits

    assert limit.state is LimitState.UNKNOWN
    assert "another network namespace" in limit.reason


def test_a_counter_that_starts_anew_has_no_rate(host, collector):
    collector.collect(host(row("eth0", 1, 1000)))
    reading = collector.collect(host(row("eth0", 1, 10)))

    assert not reading.used
    assert "started anew" in reading.missing[Resource.NETWORK_OUT]


def test_the_speed_is_read_again_with_the_limits(host, collector):
    target = host(row("eth0", 1, 1), speeds={"eth0": "100"})
    first = collector.collect(target).limits
    again = collector.collect(host(row("eth0", 1, 1), speeds={"eth0": "1000"})).limits
    collector.limits(target)

    assert (first[0].value, again) == (12_500_000, ())
    assert collector.collect(target).limits[0].value == 125_000_000


def test_ipv6_default_routes_count_too(host, write_file):
    target = host(row("eth0", 1, 1))
    zeros = "0" * 32
    lines = [
        f"{zeros} 00 {zeros} 00 fe800000000000000000000000000001 0 0 0 0 eth6",
        f"{zeros} 00 {zeros} 00 {zeros} ffffffff 1 0 00200200 lo",
        f"fe80{'0' * 28} 40 {zeros} 00 {zeros} 100 1 0 1 eth7",
    ]
    write_file("7/net/ipv6_route", "\n".join(lines))

    assert routed_interfaces(target) == {"eth6"}


@pytest.mark.parametrize(("sent", "per_s"), [(3000, 2.0), (1000, 0.0)])
def test_a_rate_is_what_was_sent_over_what_has_passed(host, collector, monkeypatch, sent, per_s):
    target = host(row("eth0", 5, sent))
    monkeypatch.setattr(network, "time", SimpleNamespace(monotonic=lambda: 1500.0))
    collector._before = (frozenset({"eth0"}), target.started_at, 1000, 500.0)
    reading = collector.collect(target)

    assert per_s == reading.used[Resource.NETWORK_OUT]
    assert not reading.missing


ROUTE_6 = "{} {} {} 00 {} 00000400 00000001 00000000 00000001 {}\n"
ANY_6 = "0" * 32


@pytest.mark.parametrize(
    ("routes", "names"),
    [
        (ROUTE_6.format(ANY_6, "00", ANY_6, ANY_6, "eth1"), {"eth1"}),
        (ROUTE_6.format(ANY_6, "00", ANY_6, ANY_6, "lo"), set()),
        (ROUTE_6.format("fe80" + "0" * 28, "40", ANY_6, ANY_6, "eth1"), set()),
        (ROUTE_6.format("fe80" + "0" * 28, "00", ANY_6, ANY_6, "eth1"), set()),
        (ROUTE_6.format(ANY_6, "40", ANY_6, ANY_6, "eth1"), set()),
        (ROUTE_6.format(ANY_6, "00", ANY_6, ANY_6, ""), set()),
    ],
    ids=["default", "loopback", "local", "prefix of nothing", "all of a prefix", "cut short"],
)
def test_default_routes_of_both_families_count(host, write_file, routes, names):
    write_file("7/net/ipv6_route", routes)

    assert names == routed_interfaces(host(row("lo", 1, 1)))
    assert names | {"eth0"} == routed_interfaces(host(row("lo", 1, 1), DEFAULT))


def test_a_route_has_a_mask(host):
    cut = "eth0 00000000 0102A8C0 0003 0 0 0 00000000\neth1 00000000 0102A8C0 0003 0 0 0\n"

    assert {"eth0"} == routed_interfaces(host(row("lo", 1, 1), cut))
