"""A template against what was sent."""

import pytest

from capacity.workload.drafting.unify import unified


@pytest.mark.parametrize(
    ("template", "tree", "found"),
    [
        ({"id": "{id:int}", "a": ["{channel}"]}, {"id": 5, "a": ["x"]}, {"id": 5, "channel": "x"}),
        ({"a": "{channels:list}"}, {"a": ["x", "y"]}, {"channels": ["x", "y"]}),
        ({"symbol": ["{symbol}"]}, {"symbol": ["x", "y"]}, {"symbol": ["x", "y"]}),
        ("SUB {channel} {id}\r\n", "SUB md.A 3\r\n", {"channel": "md.A", "id": "3"}),
        ("{a} and {a}", "x and x", {"a": "x"}),
        ([1, True], [1, True], {}),
    ],
)
def test_what_the_places_were_filled_with(template, tree, found):
    places = {}

    assert unified(template, tree, places)
    assert found == places


@pytest.mark.parametrize(
    ("template", "tree"),
    [
        ({"a": 1}, {"a": 1, "b": 2}),
        ({"a": 1}, {"a": True}),
        ([1], [1, 2]),
        ("SUB {channel}", "PUB x"),
        ("{a} and {a}", "x and y"),
        ({"a": 1}, "a"),
        ([1], {"a": 1}),
    ],
)
def test_what_does_not_fit(template, tree):
    assert not unified(template, tree, {})
