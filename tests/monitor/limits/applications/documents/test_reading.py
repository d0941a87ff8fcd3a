"""Files as documents: by their ending TOML, else YAML and JSON."""

import os

import pytest

from capacity.monitor.limits.applications.documents.flow import MOST_DEPTH
from capacity.monitor.limits.applications.documents.reading import document, toml
from capacity.monitor.limits.applications.settings import UnclearError


@pytest.mark.parametrize(
    ("path", "text"),
    [("/a.yaml", "a:\n  b: 5\n"), ("/a.json", '{"a":\n{"b": 5}}'), ("/a.toml", "[a]\nb = 5\n")],
)
def test_the_ending_says_what_it_is(made, path, text):
    made.write(path, text)

    assert document(made.process("x"), path).at("a", "b").setting("b").source == f"{path}:2: b 5"


def test_a_file_that_is_newer_than_the_process_says_so(made):
    os.utime(made.write("/a.toml", "a = 5\n"), (2e9, 2e9))
    root = document(made.process("x", started_at=1e9), "/a.toml")

    assert root.at("a").where == "/a.toml:1 (changed after the process started)"


def test_a_key_of_toml_that_stands_twice_has_no_line():
    root = toml("[a]\nb = 5\nc = [{d = true}]\n[e]\nb = 6\n", "/a")

    assert (root.at("a", "b").where, root.at("a", "c").where) == ("/a", "/a:3")
    assert root.at("a", "c").elements[0].at("d").text == "true"


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("a = 1\nb = \n", "/a:2"),
        ("a = " + "[" * 100_000, "/a"),
        ("a." * 80 + "b = 1", "/a"),
        ("a = {{ b }}", "/a:1"),
    ],
)
def test_what_is_no_toml_is_unclear(text, where):
    with pytest.raises(UnclearError) as caught:
        toml(text, "/a")

    assert caught.value.where == where


@pytest.mark.parametrize(
    "nested", [lambda n: "[" * n + "]" * n, lambda n: "{a = " * n + "1" + "}" * n]
)
def test_toml_is_read_down_to_64_values_within_values(nested):
    deepest = MOST_DEPTH - nested(0).count("1")  # The value within the last table is one as well.

    assert toml(f"k = {nested(deepest)}", "/a").at("k").line == 1
    with pytest.raises(UnclearError, match="more than 64 deep"):
        toml(f"k = {nested(deepest + 1)}", "/a")
