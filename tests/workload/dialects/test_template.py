"""Templates."""

import pytest

from capacity.workload.dialects.template import fill, names

SUBSCRIBE = {
    "jsonrpc": "2.0",
    "id": "{id:int}",
    "params": {
        "channels": "{channels:list}",
        "note": "for {id} and {symbol}",
        "n": [1, "{id:str}"],
    },
}


def test_a_whole_place_keeps_the_type_and_a_part_becomes_text():
    filled = fill(SUBSCRIBE, {"id": 7, "channels": ("a", "b"), "symbol": "BTC"})

    assert filled == {
        "jsonrpc": "2.0",
        "id": 7,
        "params": {"channels": ["a", "b"], "note": "for 7 and BTC", "n": [1, "7"]},
    }


def test_a_value_that_looks_like_a_place_is_not_filled_again():
    assert fill("x-{symbol}", {"symbol": "{id}"}) == "x-{id}"


def test_braces_that_are_no_place_stay():
    query = '{"a": {}} { price } query { ticker(id: 7) { price } }'

    assert fill(query, {}) == query


def test_a_missing_value_is_a_key_error_with_its_name():
    with pytest.raises(KeyError, match="symbol"):
        fill(SUBSCRIBE, {"id": 7, "channels": ()})


def test_names_are_those_of_all_places_in_the_tree():
    assert list(names(SUBSCRIBE)) == ["id", "channels", "id", "symbol", "id"]
    assert list(names((1, None, {"a": True}))) == []
