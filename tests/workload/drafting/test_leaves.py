"""What stands where in parsed frames."""

from capacity.workload.drafting.leaves import common, leaves, telling, telling_kinds, texts, tops


def test_everything_that_is_no_object_and_no_list_has_a_path():
    tree = {"a": {"b": [1, {"c": None}]}, "no path": 2, "d.e": 3}

    assert [("a.b.0", 1), ("a.b.1.c", None)] == list(leaves(tree))
    assert {"x": "y"} == texts({"x": "y", "z": 1})


def test_of_a_long_list_and_a_deep_tree_the_beginning_is_looked_at():
    deep = {"a": 1}
    for _ in range(9):
        deep = {"a": deep}

    assert 4 == len(list(leaves([1] * 9)))
    assert [] == list(leaves(deep))


def test_what_frames_have_alike():
    assert {"a": 1} == common([{"a": 1, "b": 2}, {"a": 1, "b": 3}])
    assert {"a"} == tops([{"a": 1, "b": 2}, {"a": 1}])
    assert set() == tops([{"a": 1}, []])


def test_frames_are_told_by_a_word_then_by_a_key():
    assert {"type": "tick"} == telling([{"type": "tick", "x": 1}], [{"type": "pong"}])
    assert {"data": {"exists": True}} == telling([{"a": 1, "data": 2}], [{"a": 1}])
    assert {"e": "a", "type": "x"} == telling(
        [{"e": "a", "type": "x"}], [{"e": "b", "type": "x"}, {"e": "a", "type": "y"}]
    )


def test_names_of_channels_tell_no_kind_of_frame():
    assert {"sub": {"exists": True}} == telling([{"sub": "px:BTC"}], [{"a": 1}], ["px:BTC"])


def test_what_is_the_same_cannot_be_told():
    assert telling([{"a": 1}], [{"a": 2}]) is None


def test_frames_of_several_kinds_are_told_by_their_words():
    kinds = [{"ch": "a", "event": "trade"}, {"ch": "b", "event": "data"}]

    assert {"event": {"in": ["data", "trade"]}} == telling_kinds(kinds, [{"event": "ack"}], ["ch"])
    assert telling_kinds(kinds, [{"event": "data"}], ["ch"]) is None
    assert telling_kinds([{"event": f"e{n}"} for n in range(7)], [], []) is None
