"""Paths, names, matchers and placeholders of a dialect."""

import pytest

from capacity.settings.dialects.notation import (
    ack_findings,
    matcher_findings,
    name_findings,
    path_findings,
    place_findings,
    positive_findings,
)
from capacity.workload.dialects.answers import Ack, AckError

HERE = ("here",)


def said(findings):
    return [(place, sentence.partition(";")[0]) for place, sentence in findings]


@pytest.mark.parametrize("path", [None, "a", "a.b", "$.params.channel", "0", "a-b"])
def test_keys_joined_by_dots_are_a_path(path):
    assert [] == said(path_findings(path, HERE))


@pytest.mark.parametrize("path", ["", ".a", "a.", "a..b", "a b", "a[0]", "{a}"])
def test_what_has_no_key_between_its_dots_is_no_path(path):
    assert [(HERE, "no path")] == said(path_findings(path, HERE))


@pytest.mark.parametrize(("path", "is_odd"), [("$ts", True), ("$", False), ("$.ts", False)])
def test_a_root_without_its_dot_is_no_key(path, is_odd):
    assert is_odd == any("$.ts" in text for _place, text in path_findings(path, HERE))


def test_a_name_is_put_together_of_paths():
    assert [] == said(name_findings("{arg.channel}:{arg.instId}", HERE))
    assert [(HERE, "no path")] == said(name_findings("{arg.channel}:{arg..instId}", HERE))


@pytest.mark.parametrize(("value", "count"), [(0.001, 0), (0, 1), (-1, 1)])
def test_only_a_number_above_0_is_positive(value, count):
    assert count == len(said(positive_findings(value, HERE)))


@pytest.mark.parametrize("expected", [1, "x", {"exists": False}, {"in": [1, 2]}, {"regex": "^a+$"}])
def test_a_matcher_has_a_value_or_one_operator(expected):
    assert [] == said(matcher_findings({"a.b": expected}, HERE))


@pytest.mark.parametrize(
    ("matcher", "place", "sentence"),
    [
        ({"a..b": 1}, ("a..b",), "no path"),
        ({"a": {}}, ("a",), "must be a value or one of"),
        ({"a": {"exists": True, "in": []}}, ("a",), "must be a value or one of"),
        ({"a": {"above": 1}}, ("a",), "must be a value or one of"),
        ({"a": {"exists": 1}}, ("a", "exists"), "must be true or false"),
        ({"a": {"in": "x"}}, ("a", "in"), "must be a list"),
        ({"a": {"regex": "("}}, ("a", "regex"), "no regular expression"),
        ({"a": {"regex": 1}}, ("a", "regex"), "no regular expression"),
    ],
)
def test_what_a_matcher_cannot_be_is_named_with_its_place(matcher, place, sentence):
    ((found_at, found),) = matcher_findings(matcher, HERE)

    assert (*HERE, *place) == found_at
    assert found.startswith(sentence)


@pytest.mark.parametrize(
    "tree",
    ["{id}", "{id:int}", ["{channels:list}"], ["{channels:entries}"], {"a": "x"}, "x{id:upper}"],
)
def test_a_placeholder_with_a_value_and_a_form_it_can_take_is_right(tree):
    assert [] == said(place_findings(tree, HERE, "id", "channels"))


@pytest.mark.parametrize(
    ("tree", "sentence"),
    [
        ("{who}", "{who} has no value here"),
        ("{id:float}", "{id:float} has an unknown form"),
        ("{id:list}", "{id:list} does not go together"),
        ("{channels:str}", "{channels:str} does not go together"),
        ("x{channels:list}", "{channels:list} is a list and must stand alone"),
        ("{channels:upper}", "{channels:upper} does not go together"),
        ("{id:entries}", "{id:entries} does not go together"),
        ("x{channels:entries}", "{channels:entries} is a list and must stand alone"),
    ],
)
def test_a_placeholder_that_nothing_can_fill_is_named_once(tree, sentence):
    assert [(HERE, sentence)] == said(place_findings([tree, tree], HERE, "id", "channels"))


@pytest.mark.parametrize("tree", ["{channels:entries}", [{"a": "{channels:entries}"}]])
def test_entries_stand_in_a_list_alone(tree):
    ((place, sentence),) = place_findings(tree, HERE, "channels")

    assert HERE == place
    assert "must be one itself: [..., {channels:entries}]" in sentence


@pytest.mark.parametrize(
    ("ok", "refused", "is_told"),
    [
        ({"code": 0}, {"code": {"exists": True}}, True),
        ({"code": 0}, {"method": "subscribe"}, True),
        ({"code": 0}, {}, True),
        ({"code": {"in": [0, 1]}}, {"code": {"in": [0, 1]}}, True),
        ({"code": 0}, {"code": {"exists": False}}, False),
        ({"code": 0}, {"code": 1}, False),
        ({"code": 0}, {"message": {"exists": True}}, False),
        ({"code": {"in": [0, 1]}}, {"code": {"exists": True}}, False),
        ({}, {"method": "subscribe"}, False),
    ],
)
def test_a_refusal_that_every_confirmation_is_too_is_told(ok, refused, is_told):
    ack = Ack(where={"method": "subscribe"}, ok=ok, error=AckError(where=refused))
    places = [place for place, _ in ack_findings(ack, HERE, has_id=True)]

    assert is_told == ((*HERE, "error", "where") in places)


def test_an_answer_is_known_by_one_id_that_its_request_carries():
    one, two = Ack(where={"id": "{id}"}), Ack(where={"id": "{id}", "result": "{id}"})

    assert [] == said(ack_findings(one, HERE, has_id=True))
    assert [((*HERE, "where", "id"), "is matched to the request's id, but send has none")] == said(
        ack_findings(one, HERE, has_id=False)
    )
    assert [((*HERE, "where"), "has the request's id twice")] == said(
        ack_findings(two, HERE, has_id=True)
    )
