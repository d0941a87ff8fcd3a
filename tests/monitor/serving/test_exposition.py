"""The text format 0.0.4, checked by a reader written from its specification."""

import re
from dataclasses import replace

import pytest

from capacity.domain.resource_facts import UNITS
from capacity.domain.resources import Resource
from capacity.domain.sample import Sample
from capacity.monitor.limits.states import known, unknown, unlimited
from capacity.monitor.serving.exposition import metrics_text

LINE = re.compile(
    r"""^(?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)
        (\{(?P<labels>[a-zA-Z_]\w*="(\\[\\"n]|[^"\\\n])*"(,[a-zA-Z_]\w*="(\\[\\"n]|[^"\\\n])*")*)\})?
        \ (?P<value>\S+)$""",
    re.VERBOSE,
)


def read(text):
    """Return name (with labels) -> value; every metric needs HELP and TYPE just before it."""
    assert text.endswith("\n") or not text
    values, types = {}, {}
    for line in text.splitlines():
        if line.startswith("# HELP "):
            assert len(line.split(" ", 3)) == 4
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name not in types, "a second TYPE of one metric"
            types[name] = kind
        else:
            found = LINE.match(line)
            assert found, line
            assert found["name"] in types
            key = found["name"] + (f"{{{found['labels']}}}" if found["labels"] else "")
            assert key not in values, "a series twice"
            values[key] = float(found["value"])
    return values, types


def sample(**changes):
    values = {
        "seq": 1,
        "at": 1795394278.25,
        "interval_s": 1.0,
        "used": {},
        "gauges": {},
        "counters": {},
        "missing": {},
        "target_started_at": 1795394000.5,
    }
    return Sample(**{**values, **changes})


def test_usage_and_limit_are_two_metrics_in_base_units():
    used = {Resource.MEMORY: 5e6, Resource.DESCRIPTORS: 12.0, Resource.NETWORK_OUT: 1.5}
    limits = (
        known(Resource.MEMORY, 2**30, "cgroup", "/sys/x"),
        known(Resource.DESCRIPTORS, 1024, "process", "/proc/1/limits"),
    )
    values, types = read(metrics_text(sample(used=used), limits))

    assert values["capacity_memory_bytes"] == 5e6
    assert values["capacity_memory_limit_bytes"] == 2**30
    assert values["capacity_descriptors"] == 12
    assert values["capacity_descriptors_limit"] == 1024
    assert values["capacity_network_out_bytes_per_second"] == 1.5
    assert types["capacity_memory_limit_bytes"] == "gauge"


def test_of_limits_by_port_the_smallest_is_the_metric():
    limits = tuple(
        replace(known(Resource.APPLICATION_CONNECTIONS, value, "application", "/a"), ports=(value,))
        for value in (70, 60, 80)
    )
    values, _ = read(metrics_text(None, limits))

    assert list(values.values()) == [60]


def test_of_limits_alike_the_first_is_the_metric():
    limits = [known(Resource.MEMORY, 2**30, scope, "/s") for scope in ("cgroup", "host")]

    assert "# HELP capacity_memory_limit_bytes Limit, cgroup: /s\n" in metrics_text(
        None, tuple(limits)
    )


def test_of_several_resources_each_has_its_metric_whatever_else_is_unknown():
    limits = (
        unknown(Resource.MEMORY, "host", "/a", "why"),
        known(Resource.MEMORY, 2**30, "cgroup", "/b"),
        known(Resource.DESCRIPTORS, 1024, "process", "/c"),
        unlimited(Resource.DESCRIPTORS, "host", "/d"),
    )
    values, _ = read(metrics_text(None, limits))

    assert {"capacity_memory_limit_bytes": 2**30, "capacity_descriptors_limit": 1024} == values


@pytest.mark.parametrize("state", [unlimited, lambda *a: unknown(*a, "why")])
def test_a_limit_without_a_number_is_no_metric(state):
    values, _ = read(metrics_text(None, (state(Resource.CPU, "host", "s"),)))

    assert values == {}


def test_counters_are_counters_and_end_in_total():
    values, types = read(metrics_text(sample(counters={"listen_drops": 3.0}), ()))

    assert values["capacity_listen_drops_total"] == 3
    assert types["capacity_listen_drops_total"] == "counter"


def test_seconds_are_spelled_out():
    gauges, counters = {"memory_maps_interval_s": 4.0}, {"cpu_throttled_s": 2.5}
    values, types = read(metrics_text(sample(gauges=gauges, counters=counters), ()))

    assert values["capacity_memory_maps_interval_seconds"] == 4
    assert values["capacity_cpu_throttled_seconds_total"] == 2.5
    assert types["capacity_cpu_throttled_seconds_total"] == "counter"


def test_every_resource_has_a_name_of_its_own():
    values, _ = read(metrics_text(sample(used=dict.fromkeys(Resource, 1.0)), ()))

    assert len(
        [name for name in values if not name.startswith(("capacity_target", "capacity_sample"))]
    ) == len(UNITS)


def test_what_is_missing_has_a_reason_and_no_value():
    missing = {Resource.CPU: 'C:\\x "quoted"\nnext line'}
    values, _ = read(metrics_text(sample(missing=missing), ()))

    assert "capacity_cpu_cores" not in values
    key = 'capacity_missing{name="cpu",reason="C:\\\\x \\"quoted\\"\\nnext line"}'
    assert values[key] == 1


def test_a_source_cannot_break_out_of_its_comment():
    limit = known(Resource.CPU, 1, "host", "a\nb 5\\c")

    assert read(metrics_text(None, (limit,)))[0] == {"capacity_cpu_limit_cores": 1}


@pytest.mark.parametrize(("started_at", "up"), [(1795394000.5, 1), (None, 0)])
def test_a_gone_target_is_down_and_has_no_start(started_at, up):
    values, _ = read(metrics_text(sample(target_started_at=started_at), ()))

    assert values["capacity_target_up"] == up
    assert values.get("capacity_target_start_time_seconds") == started_at


def test_large_numbers_keep_their_digits():
    values, _ = read(metrics_text(sample(used={Resource.MEMORY: 25276510208.0}), ()))

    assert values["capacity_memory_bytes"] == 25276510208
