"""Plain data as YAML that is read again as it was."""

import pytest
import yaml

from capacity.workload.drafting.yaml_text import block, flow


@pytest.mark.parametrize(
    "value",
    [
        {"id": "{id:int}", "jsonrpc": "2.0", "on": True, "n": None, "3": [1, 2.5, "x y"]},
        "true",
        "yes",
        "a\nb\0",
        "book.{symbol}",
        ["-ERR", "$.id", ""],
        "del\x7f, nel\x85, line\u2028end, mark\ufeff, none\uffff",
    ],
)
def test_a_flow_is_read_as_it_was(value):
    assert value == yaml.safe_load(flow(value))


def test_short_values_share_a_line_and_long_ones_do_not():
    assert ["a: {b: c}"] == block("a", {"b": "c"})
    long = {"first": "x" * 60, "second": ["y" * 40, "z" * 80]}
    lines = block("a", long)

    assert 5 == len(lines)
    assert {"a": long} == yaml.safe_load("\n".join(lines))
