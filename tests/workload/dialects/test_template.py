"""Templates."""

import pytest

from capacity.workload.dialects.matching import MISSING
from capacity.workload.dialects.template import fill, names, needed, places, texts

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


def test_a_time_may_be_written_as_a_later_one_in_its_own_unit():
    tree = ["{now_ms+10000}", "{now_s+60:str}", "until {now_ms+1}", "{now_ms}"]
    now = {"now_s": 1_700_000_000, "now_ms": 1_700_000_000_000}

    assert [1_700_000_010_000, "1700000060", "until 1700000000001", 1_700_000_000_000] == (
        fill(tree, now)
    )
    assert ["now_ms", "now_s", "now_ms", "now_ms"] == list(names(tree))
    assert ["{now_ms+10000}", "{now_s+60:str}", "{now_ms+1}", "{now_ms}"] == [
        each.shown for each in places(tree)
    ]


def test_a_text_may_be_written_in_big_or_small_letters():
    tree = {"symbol": "{symbol:upper}", "path": "/v1/{symbol:lower}/x/{id:upper}"}

    assert {"symbol": "BTC-USDT", "path": "/v1/btc-usdt/x/7"} == fill(
        tree, {"symbol": "Btc-Usdt", "id": 7}
    )
    assert {"a": "x"} == fill({"a": "x", "b": "{gone:upper}"}, {"gone": MISSING})


def test_a_value_that_looks_like_a_place_is_not_filled_again():
    assert fill("x-{symbol}", {"symbol": "{id}"}) == "x-{id}"


def test_braces_that_are_no_place_stay():
    query = '{"a": {}} { price } query { ticker(id: 7) { price } }'

    assert fill(query, {}) == query


def test_entries_are_put_into_the_list_that_they_stand_in():
    tree = [{"ticket": 1}, "{channels:entries}", {"a": ["{channels:entries}"]}]

    assert fill(tree, {"channels": ({"type": "x"}, "y")}) == [
        {"ticket": 1},
        {"type": "x"},
        "y",
        {"a": [{"type": "x"}, "y"]},
    ]
    assert fill(["{channels:entries}"], {"channels": ()}) == []


def test_a_missing_value_is_a_key_error_with_its_name():
    with pytest.raises(KeyError, match="symbol"):
        fill(SUBSCRIBE, {"id": 7, "channels": ()})


def test_names_are_those_of_all_places_in_the_tree():
    assert list(names(SUBSCRIBE)) == ["id", "channels", "id", "symbol", "id"]
    assert list(names((1, None, {"a": True}))) == []


def test_a_key_without_its_value_is_left_out_and_null_is_a_value():
    tree = {"a": "{gone}", "b": "{null}", "c": {"d": "{gone}"}}

    assert fill(tree, {"gone": MISSING, "null": None}) == {"b": None, "c": {}}


def test_all_places_are_needed_but_whole_values_of_keys():
    tree = {"a": "{x}", "b": "is {y}", "c": ["{z}", {"d": "{x}"}]}

    assert list(needed(tree)) == ["y", "z"]
    assert list(needed("{x}")) == ["x"]


def test_texts_are_those_at_any_depth_but_no_keys():
    assert ["a", "b", "c"] == list(texts({"x": ["a", 1, None], "y": {"z": "b"}, "w": ("c",)}))
