"""What a process says of itself is what the kernel says of it, and what a real target lets it do."""

import os
import platform
import resource
import socket
import sys
from pathlib import Path

import msgpack
import pytest

from capacity.domain.run import ClockOffset
from capacity.loadgen.checks.worker_identity import (
    NONE_IS_HERE,
    WorkerIdentity,
    addresses_here,
    boot_id,
    identity_here,
    program_fingerprint,
)
from capacity.settings.dialect import load_dialect
from capacity.settings.locate import find
from capacity.settings.target import Target

DIALECT = load_dialect(find("dialects", "json-push"))


@pytest.fixture(name="listener")
def fixture_listener():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


def target_at(port, **changes):
    settings = {"target": 1, "name": "here", "host": "127.0.0.1", "port": port}
    settings |= {"dialect": "json-push", "channels": ["updates"]}
    return Target.model_validate(settings | changes)


def presence_towards(listener, **changes):
    return identity_here(target_at(listener.getsockname()[1], **changes), DIALECT)


def test_it_knows_the_limits_of_its_process_and_of_its_host(listener):
    identity = presence_towards(listener)
    low, high = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()

    assert (platform.node(), os.cpu_count()) == (identity.host, identity.cores)
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[1] in {identity.descriptors, -1}
    assert int(high) - int(low) + 1 == identity.ports
    assert (boot_id(), str(Path("/proc/self/ns/net").readlink())) == identity.machine
    assert (None, None, ()) == (identity.trouble, identity.clock, identity.addresses)


def test_where_the_cores_cannot_be_counted_it_has_one(listener, monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: None)

    assert 1 == presence_towards(listener).cores


def test_of_the_source_addresses_it_names_its_own_and_has_connected_from_each(listener):
    identity = presence_towards(listener, source_addresses=["127.0.0.7", "192.0.2.1", "127.0.0.8"])
    arrived = [listener.accept() for _ in range(2)]
    for connection, _ in arrived:
        connection.close()

    assert ("127.0.0.7", "127.0.0.8") == identity.addresses
    assert ["127.0.0.7", "127.0.0.8"] == [peer for _, (peer, _port) in arrived]
    assert identity.trouble is None


def test_addresses_of_both_families_are_told_from_those_of_other_hosts():
    assert ("127.9.9.9", "::1") == addresses_here(["127.9.9.9", "192.0.2.1", "::1", "2001:db8::1"])


def test_a_host_with_none_of_the_source_addresses_says_so(listener):
    assert NONE_IS_HERE == presence_towards(listener, source_addresses=["192.0.2.1"]).trouble


def test_a_target_that_cannot_be_reached_from_here_is_trouble(listener):
    port = listener.getsockname()[1]
    listener.close()
    trouble = identity_here(target_at(port), DIALECT).trouble

    assert f"no route to 127.0.0.1:{port} (connect_refused); open it" in trouble


def test_an_address_that_cannot_reach_the_target_is_named(listener):
    trouble = presence_towards(listener, source_addresses=["::1"]).trouble

    assert trouble.startswith("source_addresses in the target file: from ::1 no route to")


def test_certificates_that_are_not_on_this_host_are_trouble(listener):
    absent = {"ca_file": "/no/such/authorities.pem"}

    assert (
        "/no/such/authorities.pem"
        in presence_towards(listener, tls=True, certificates=absent).trouble
    )


@pytest.mark.parametrize(
    ("public", "private"), [("binance-private", None), ("json-push", "binance-private")]
)
def test_a_library_that_is_not_on_this_host_is_trouble_whichever_connection_needs_it(
    listener, monkeypatch, public, private
):
    dialects = [load_dialect(find("dialects", name)) for name in (public, private) if name]
    channels = list(dialects[0].channels)[:1]
    target = target_at(listener.getsockname()[1], channels=channels)

    assert identity_here(target, *dialects).trouble is None
    monkeypatch.setitem(sys.modules, "cryptography", None)  # As if it had never been installed.
    assert "pip install 'capacity[signatures]'" in identity_here(target, *dialects).trouble


def test_it_travels_as_a_message_but_for_its_clock(listener):
    identity = presence_towards(listener, source_addresses=["127.0.0.7"])
    compared = WorkerIdentity(
        **{**identity.as_message(), "clock": ClockOffset(offset_s=1.0, error_s=0.1)}
    )
    sent = msgpack.unpackb(msgpack.packb(compared.as_message()))

    assert identity == WorkerIdentity.from_message(sent)


def test_programs_are_told_apart_by_every_name_and_every_byte(tmp_path):
    def fingerprint(**files):
        root = tmp_path / str(len(list(tmp_path.iterdir())))
        (root / "inner").mkdir(parents=True)
        for name, text in files.items():
            (root / "inner" / name.replace("_", ".")).write_text(text)
        return program_fingerprint(root)

    same = fingerprint(a_py="1", b_py="2")

    assert 12 == len(same)
    assert same == fingerprint(b_py="2", a_py="1", notes_txt="not a program")
    assert 4 == len(
        {
            same,
            fingerprint(a_py="1"),
            fingerprint(a_py="1", c_py="2"),
            fingerprint(a_py="1", b_py="3"),
        }
    )


def test_an_installed_program_is_the_same_as_that_of_a_checkout(tmp_path):
    (tmp_path / "a.py").touch()
    before = program_fingerprint(tmp_path)
    (tmp_path / "data" / "locustfiles").mkdir(parents=True)
    (tmp_path / "data" / "locustfiles" / "load_profile.py").touch()

    assert before == program_fingerprint(tmp_path)


def test_its_descriptors_are_the_hard_limit_to_which_it_raises_the_soft_one(listener):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (512, hard))
    try:
        identity = presence_towards(listener)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    assert identity.descriptors > 512
