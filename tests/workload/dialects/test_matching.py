"""Paths and matchers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.workload.dialects.matching import MISSING, getter, item_getter, matches

FRAME = {"id": 1, "ok": True, "none": None, "params": {"channel": "book.A", "list": [{"ts": 5}]}}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("id", 1),
        ("none", None),
        ("params.channel", "book.A"),
        ("params.list.0.ts", 5),
        ("params.list.1.ts", MISSING),
        ("params.list.x", MISSING),
        ("params.nothing", MISSING),
        ("id.deeper", MISSING),
        ("nothing", MISSING),
    ],
)
def test_a_path_finds_what_is_there_and_tells_null_from_nothing(path, value):
    found = getter(path)(FRAME)

    assert found is value or found == value
    assert (found is MISSING) is (value is MISSING)


def test_a_number_is_an_index_into_a_list_and_a_key_of_a_mapping():
    assert getter("0")([7]) == 7
    assert getter("0")({"0": 8}) == 8


def test_a_path_of_an_item_starts_at_the_frame_after_a_dollar():
    assert item_getter("ts")({"ts": 1}, {"ts": 2}) == 2
    assert item_getter("$.ts")({"ts": 1}, {"ts": 2}) == 1


@pytest.mark.parametrize(
    ("matcher", "fits"),
    [
        ({}, True),
        ({"id": 1}, True),
        ({"id": 1.0}, True),
        ({"id": True}, False),
        ({"ok": True}, True),
        ({"ok": 1}, False),
        ({"id": "1"}, False),
        ({"none": None}, True),
        ({"nothing": None}, False),
        ({"none": {"exists": True}}, True),
        ({"nothing": {"exists": True}}, False),
        ({"nothing": {"exists": False}}, True),
        ({"id": {"equals": 1}}, True),
        ({"id": {"in": [2, 1]}}, True),
        ({"ok": {"in": [1, 0]}}, False),
        ({"params.channel": {"regex": "^book[.]"}}, True),
        ({"params.channel": {"regex": "^trades"}}, False),
        ({"id": {"regex": "1"}}, False),
        ({"id": 1, "params.channel": "book.A"}, True),
        ({"id": 1, "params.channel": "book.B"}, False),
    ],
)
def test_a_matcher_compares_value_and_type(matcher, fits):
    assert matches(matcher)(FRAME) is fits


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=3),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from("ab0"), inner),
    )
)
def test_no_frame_makes_a_path_or_a_matcher_raise(frame):
    for path in ("a", "a.b", "a.0.b", "0"):
        getter(path)(frame)
        for expected in (1, "x", None, {"exists": False}, {"in": [1]}, {"regex": "x"}):
            assert matches({path: expected})(frame) in {True, False}


@pytest.mark.parametrize(
    ("path", "found"),
    [("-1", 9), ("-2", [7, 8]), ("-2.-2", 7), ("-3", MISSING), ("1", 9), ("2", MISSING)],
)
def test_entries_of_a_list_are_counted_from_either_end(path, found):
    assert getter(path)([[7, 8], 9]) == found
    assert item_getter(path)({"9": 9}, [[7, 8], 9]) == found
    assert item_getter(f"$.{path}")([[7, 8], 9], None) == found
