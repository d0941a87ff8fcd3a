import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.domain.errors import ConfigError
from capacity.planning.rules.expression import condition


@pytest.mark.parametrize(
    ("text", "figure", "operator", "bound"),
    [
        ("headroom >= 30 %", "headroom", ">=", 0.3),
        ("headroom>=30%", "headroom", ">=", 0.3),
        ("headroom > 0.25", "headroom", ">", 0.25),
        ("capacity.safe >= 12000", "capacity.safe", ">=", 12000.0),
        ("capacity.safe >= 12,000 connections", "capacity.safe", ">=", 12000.0),
        ("cost.memory_per_connection <= 12 KiB", "cost.memory_per_connection", "<=", 12288.0),
        ("delivery_delay.p99 <= 250 ms", "delivery_delay.p99", "<=", 0.25),
        ("cost.cpu_per_connection < 0.2 millicores", "cost.cpu_per_connection", "<", 2e-4),
        ("cost.network_out_per_connection < 1 kB/s", "cost.network_out_per_connection", "<", 1e3),
        ("connections.lost == 0", "connections.lost", "==", 0.0),
        ("bottleneck not in [unknown]", "bottleneck", "not in", {"unknown"}),
        ("bottleneck in [memory, heap]", "bottleneck", "in", {"memory", "heap"}),
        ("bottleneck == memory", "bottleneck", "==", {"memory"}),
        ("audit.changed == none", "audit.changed", "==", set()),
        ("caveats  not  in [near_tie]", "caveats", "not in", {"near_tie"}),
    ],
)
def test_a_rule_is_a_figure_an_operator_and_a_bound_in_base_units(text, figure, operator, bound):
    found = condition(text)

    assert (found.figure, found.operator, found.text) == (figure, operator, text)
    assert found.bound == pytest.approx(bound) if isinstance(bound, float) else found.bound == bound


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("hedroom >= 30 %", "unknown figure 'hedroom'; did you mean headroom?"),
        ("capacity >= 3", "unknown figure 'capacity'; "),
        ("headroom", "must be a figure, an operator and a bound"),
        ("headroom => 30 %", "must be a figure"),
        ("headroom >= much", "headroom needs a number (got 'much')"),
        ("headroom >= -1 %", "headroom needs a number"),
        ("headroom >= 30 KiB", "headroom is given in %"),
        ("delivery_delay.p99 <= 250", "delivery_delay.p99 is given in s, ms, us, µs, min"),
        ("delivery_delay.p99 <= 250 mss", "did you mean ms?"),
        ("cost.memory_per_connection <= 12 kib", "did you mean KiB?"),
        ("capacity.safe in [1]", "capacity.safe is a number"),
        ("bottleneck >= memory", "bottleneck is a name"),
        ("bottleneck in memory", "in needs a list, such as [unknown]"),
        ("bottleneck in []", "in needs at least one name"),
        ("bottleneck in [memroy]", "bottleneck is never 'memroy'; did you mean memory?"),
        ("caveats not in [near_ties]", "did you mean near_tie?"),
        ("__import__('os') >= 1", "unknown figure"),
        ("headroom >= 1 if True else 0", "headroom needs a number"),
        ("x" * 501, "longer than 500 characters"),
    ],
)
def test_a_mistake_says_what_is_allowed(text, said):
    with pytest.raises(ConfigError) as error:
        condition(text)

    assert said in str(error.value)


@given(st.text(max_size=60))
def test_no_text_does_anything_but_be_refused_or_understood(text):
    with contextlib.suppress(ConfigError):
        assert condition(text).text == text.strip()


@pytest.mark.parametrize(
    ("figure", "units"),
    [
        ("capacity.safe", {"": 1, "connections": 1}),
        ("headroom", {"": 1, "%": 0.01}),
        (
            "cost.memory_per_connection",
            {"bytes": 1, "B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
            | {"kB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12},
        ),
        (
            "cost.network_out_per_connection",
            {"bytes/s": 1, "B/s": 1, "KiB/s": 2**10, "MiB/s": 2**20, "GiB/s": 2**30}
            | {"kB/s": 1e3, "MB/s": 1e6, "GB/s": 1e9},
        ),
        ("delivery_delay.p99", {"s": 1, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "min": 60}),
        (
            "cost.cpu_per_connection",
            {"cores": 1, "core": 1, "millicores": 1e-3, "m": 1e-3, "microcores": 1e-6},
        ),
    ],
)
def test_each_unit_is_worth_what_its_name_says(figure, units):
    assert units == {
        unit: pytest.approx(condition(f"{figure} <= 1 {unit}").bound) for unit in units
    }


@pytest.mark.parametrize(
    "text",
    [
        "x" * 200,
        "x" * 200 + " >= 1",
        "headroom >= " + "x" * 200,
        "headroom >= 1 " + "x" * 200,
        "bottleneck in " + "x" * 200,
        "bottleneck == " + "x" * 200,
    ],
)
def test_of_a_long_text_eighty_characters_are_shown(text):
    with pytest.raises(ConfigError) as error:
        condition(text)

    shown = str(error.value).split("'")[1]
    assert (len(shown), shown[-1]) == (80, "…")


def test_a_text_of_five_hundred_characters_is_read_yet():
    assert condition("headroom >= 30 %".ljust(500)).bound == pytest.approx(0.3)


def test_twelve_names_are_shown_where_none_is_close():
    with pytest.raises(ConfigError, match="known: ") as error:
        condition("qqqqqqqqqq >= 1")

    assert len(str(error.value).split("known: ")[1].split(", …")[0].split(", ")) == 12
