"""Rates that tc planted, read back by rtnetlink; and answers that the kernel never gave."""

import struct
from functools import partial

import pytest

from capacity.monitor.host import qdisc as module
from capacity.monitor.host.network_namespace import inside_namespace
from capacity.monitor.host.qdisc import Qdisc, root_qdiscs


@pytest.fixture
def elsewhere(start_elsewhere, run_there):
    """A child in a network namespace of its own, and tc inside it."""
    child = start_elsewhere()
    run_there(child.pid, "ip link set lo up")
    return child.pid, partial(run_there, child.pid)


def qdiscs(pid):
    with inside_namespace(pid):
        return root_qdiscs()


def test_an_unshaped_loopback_has_no_rate(elsewhere):
    pid, _ = elsewhere

    assert qdiscs(pid)["lo"].rate_bytes_per_s is None


@pytest.mark.parametrize(
    ("rate", "bytes_per_s"), [("8mbit", 1_000_000), ("1gbit", 125_000_000), ("80gbit", 10**10)]
)
def test_the_rate_of_a_token_bucket_is_what_tc_set(elsewhere, rate, bytes_per_s):
    pid, run = elsewhere
    run(f"tc qdisc add dev lo root tbf burst 10mb latency 50ms rate {rate}")

    assert qdiscs(pid)["lo"] == Qdisc(kind="tbf", rate_bytes_per_s=bytes_per_s)


def test_a_token_bucket_below_the_root_does_not_speak_for_the_interface(elsewhere):
    pid, run = elsewhere
    run("tc qdisc add dev lo root handle 1: htb")
    run("tc class add dev lo parent 1: classid 1:1 htb rate 80mbit")
    run("tc qdisc add dev lo parent 1:1 tbf rate 8mbit burst 10kb latency 50ms")

    assert qdiscs(pid)["lo"] == Qdisc(kind="htb", rate_bytes_per_s=None)


def test_many_interfaces_are_all_listed(elsewhere):
    pid, run = elsewhere
    rates = {f"a{number}": (number + 1) * 125_000 for number in range(30)}
    lines = [f"ip link add {name} type veth peer name b{name}\n" for name in rates]
    lines += [
        f"tc qdisc add dev {name} root tbf burst 10kb latency 1s rate {rate}bps\n"
        for name, rate in rates.items()
    ]
    run("".join(lines))
    found = {name: each.rate_bytes_per_s for name, each in qdiscs(pid).items() if name in rates}

    assert found == rates


def test_a_refusal_is_an_error(monkeypatch):
    error = struct.pack("=IHHIIi", 20, 2, 0, 1, 0, -1)

    class Refusing:
        def recv(self, _size):
            return error

    with pytest.raises(PermissionError, match="rtnetlink refused"):
        list(module._messages(Refusing()))


def header(length, kind):
    return struct.pack("=IHHII", length, kind, 0, 1, 0)


class Answering:
    """Gives what a kernel would, part by part."""

    def __init__(self, *parts):
        self._parts = iter(parts)

    def recv(self, _size):
        return next(self._parts)


def test_messages_are_read_from_all_parts_until_the_last_one():
    def new(body):
        padding = bytes(-len(body) % 4)
        return header(16 + len(body), 36) + body + padding

    done = header(20, 3) + bytes(4)
    parts = (new(b"one!") + new(b"two.."), header(20, 99) + b"skip" + new(b"four") + done + b"rest")

    assert [b"one!", b"two..", b"four"] == list(module._messages(Answering(*parts)))


def attribute(kind, content):
    return struct.pack("=HH", 4 + len(content), kind) + content + bytes(-len(content) % 4)


BUCKET = struct.pack("=II", 0, 0)
"""Of tc_tbf_qopt, what stands before its rate."""


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        (attribute(1, b"noqueue\0"), Qdisc(kind="noqueue", rate_bytes_per_s=None)),
        (
            attribute(1, b"htb\0") + attribute(2, attribute(1, BUCKET + b"\7\0\0\0")),
            Qdisc(kind="htb", rate_bytes_per_s=None),
        ),
        (
            attribute(9, b"x")
            + attribute(1, b"tbf\0")
            + attribute(2, attribute(1, BUCKET + b"\7\0\0\0")),
            Qdisc(kind="tbf", rate_bytes_per_s=7),
        ),
        (
            attribute(1, b"tbf\0")
            + attribute(
                2, attribute(1, BUCKET + b"\xff" * 4) + attribute(4, struct.pack("=Q", 1 << 40))
            ),
            Qdisc(kind="tbf", rate_bytes_per_s=1 << 40),
        ),
    ],
    ids=["without options", "another shaper", "a rate", "a rate of 64 bits"],
)
def test_kind_and_rate_stand_in_the_attributes(attributes, expected):
    assert expected == module._qdisc(attributes)
