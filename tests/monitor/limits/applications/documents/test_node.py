"""Values of a document by their keys, and as settings."""

import pytest

from capacity.monitor.limits.applications.documents.node import Node
from capacity.monitor.limits.applications.documents.plain_yaml import parse
from capacity.monitor.limits.applications.settings import UnclearError

ROOT = parse("circuitBreakers:\n  max_connections: 5\n  list: [{a: 1}, {b: {a: 2}}]\n", "/etc/a")


@pytest.mark.parametrize("key", ["circuitBreakers", "circuit_breakers", "CIRCUITBREAKERS"])
def test_a_key_is_found_in_any_spelling(key):
    assert ROOT.at(key, "maxConnections").text == "5"


def test_what_is_not_there_is_none_at_the_place_above():
    missing = ROOT.at("circuitBreakers", "b", "c")

    assert missing.value is None
    assert missing.where == "/etc/a:2"
    assert (missing.elements, missing.members, missing.setting("x")) == ([], {}, None)


def test_a_setting_has_its_line_and_no_number_where_it_is_none():
    breakers = ROOT.at("circuitBreakers")

    assert breakers.at("max_connections").setting("most").source == "/etc/a:2: most 5"
    with pytest.raises(UnclearError, match="list is no plain number"):
        breakers.at("list").setting("list").number()


def test_a_key_is_found_at_any_depth():
    assert [node.text for node in ROOT.found("A")] == ["1", "2"]


@pytest.mark.parametrize(("depth", "is_found"), [(64, True), (65, False)])
@pytest.mark.parametrize("kind", [dict, list])
def test_a_key_is_looked_for_64_deep(kind, depth, is_found):
    node = Node({"wanted": Node("5", "/a", 1)}, "/a", 1)
    for _ in range(depth):
        node = Node({"a": node} if kind is dict else [node], "/a", 1)

    assert is_found is ([each.text for each in node.found("wanted")] == ["5"])
