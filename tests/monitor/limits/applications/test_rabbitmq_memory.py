"""RabbitMQ's watermark by its files and the host's memory; a real one is filled by the validation."""

import pytest

from capacity.domain.resources import LimitState, Resource, Scaling
from capacity.monitor.limits.applications.entries import limits_of

WORDS = ("/usr/lib/erlang/erts/bin/beam.smp", "-s", "rabbit", "boot")
CONFIG = "/etc/rabbitmq/rabbitmq.conf"


def watermark(made, text):
    made.write(CONFIG, text)
    [entry] = [each for each in made.entries(*WORDS) if each.resource is Resource.HEAP]
    return entry


@pytest.mark.parametrize(
    ("written", "size_bytes"),
    [
        ("300000000", 300_000_000),
        ("200000k", 200_000 << 10),
        ("200000KiB", 200_000 << 10),
        ("300000kB", 300_000_000),
        ("200M", 200 << 20),
        ("200MiB", 200 << 20),
        ("300MB", 300_000_000),
        ("3G", 3 << 30),
        ("3GiB", 3 << 30),
        ("2GB", 2 * 10**9),
    ],
)
def test_an_absolute_size_counts_less_what_is_no_anonymous_memory(made, written, size_bytes):
    entry = watermark(made, f"vm_memory_high_watermark.absolute = {written}\n")

    assert entry.value == size_bytes
    assert entry.source.startswith(
        f"{CONFIG}:1: vm_memory_high_watermark.absolute {written}; beyond"
    )
    assert (entry.unit, entry.scales_with) == ("bytes", Scaling.BYTES)


@pytest.mark.parametrize("ratio", [0.0, 0.25, 1.0])
def test_a_share_is_one_of_the_hosts_memory(made, ratio):
    entry = watermark(made, f"vm_memory_high_watermark.relative = {ratio}\n")

    assert entry.value == ratio * 10_000_000 * 1024


@pytest.mark.parametrize(("version", "ratio"), [("3.13.7", 0.4), ("4.0.1", 0.6)])
def test_the_share_that_is_not_set_follows_the_version(made, version, ratio):
    made.environ["ERL_LIBS"] = f"/usr/lib/rabbitmq/lib/rabbitmq_server-{version}/plugins"

    assert watermark(made, "").value == ratio * 10_000_000 * 1024


def test_another_memory_may_stand_for_the_hosts(made):
    entry = watermark(made, "total_memory_available_override_value = 1GiB\n")

    assert entry.value == 0.4 * (1 << 30)


@pytest.mark.parametrize("text", ["$(SHARE)", "1.01", "-0.1"])
def test_what_is_no_share_is_unknown_and_takes_nothing_else_along(made, text):
    entry = watermark(made, f"vm_memory_high_watermark.relative = {text}\nchannel_max = 9\n")

    assert entry.state is LimitState.UNKNOWN
    assert entry.source == f"{CONFIG}:1"
    assert "channel_max" in [each.name for each in made.entries(*WORDS)]


def test_it_is_a_limit_beside_that_on_connections(made):
    made.write(CONFIG, "connection_max = 7\n")
    limits = limits_of(made.entries(*WORDS))
    [memory] = [limit for limit in limits if limit.resource is Resource.HEAP]

    assert memory.value == 0.4 * 10_000_000 * 1024
    assert 7 + 9 in [limit.value for limit in limits]
