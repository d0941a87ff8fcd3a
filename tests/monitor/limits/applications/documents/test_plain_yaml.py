"""The plain subset of YAML: read as PyYAML reads it, and unclear with its line beyond."""

import runpy
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from capacity.monitor.limits.applications.documents.plain_yaml import parse
from capacity.monitor.limits.applications.settings import UnclearError

HELPERS = runpy.run_path(str(Path(__file__).with_name("plain_values.py")))
plain, texts = HELPERS["plain"], HELPERS["texts"]

WORDS = st.text(st.sampled_from("ab1:#-'\"{[,]} &*!?|>%@`~é\\"), max_size=8)
VALUES = st.recursive(
    WORDS | st.integers(0, 99) | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=12,
)


@given(VALUES, st.sampled_from([True, False, None]))
def test_it_reads_what_was_written(value, flow):
    text = yaml.safe_dump(value, default_flow_style=flow, allow_unicode=True, width=9999)

    try:
        found = plain(parse(text, "a"))
    except UnclearError:
        found = None
    # Long keys stand behind a ?, and other escapes than JSON's are not read.
    is_beyond = "?" in text or "\\" in text
    assert found == texts(value) or (found is None and is_beyond)


TEXT = """\
---
# a comment
a:
- name: x   # and one more
  b: {c: [1, 'it''s', "two\\twords"], # in brackets
    d: null}
  text: |
    not: read
      - at all
  # nor this
  folded: >-
    x
- - 1
  - http://a:80/b#c
-
  e: ~
"f": "a # b"
g:
"""


def test_lists_mappings_texts_and_comments():
    assert plain(parse(TEXT, "a")) == {
        "a": [
            {
                "name": "x",
                "b": {"c": ["1", "it's", "two\twords"], "d": None},
                "text": "",
                "folded": "",
            },
            ["1", "http://a:80/b#c"],
            {"e": None},
        ],
        "f": "a # b",
        "g": None,
    }


def test_each_value_has_its_line():
    root = parse(TEXT, "/etc/a", " (changed)")
    first, second, _ = root.at("a").elements

    assert root.at("a").where == "/etc/a:4 (changed)"
    assert first.at("b", "c").where == "/etc/a:5 (changed)"
    assert first.at("b", "d").line == 6
    assert [each.line for each in second.elements] == [13, 14]
    assert root.at("f").line == 17


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ("a: 1\nb: &x 2\n", 2, "an anchor"),
        ("a: *x\n", 1, "an alias"),
        ("a: !!int 5\n", 1, "a tag"),
        ("a:\n  <<: b\n", 2, "a merged key"),
        ("? a\n: b\n", 1, "quotes"),
        ("%YAML 1.2\n---\n", 1, "a directive"),
        ("a: 1\n---\na: 2\n", 2, "no key"),
        ("- 1\n---\n- 2\n", 2, "a second document"),
        ("a: 1\na: 2\n", 2, "twice"),
        ("a: {b: 1,\n b: 2}\n", 2, "twice"),
        ("a: one\n  two\n", 2, "several lines"),
        ('a: "one\n  two"\n', 1, "quotes"),
        ("a:\n\tb: 1\n", 2, "no key"),
        ("a:\n  b: 1\n c: 1\n", 3, "odd indentation"),
        ("a:\n    b: 1\n  c: 1\n", 3, "an odd indentation"),
        ("a: b: c\n", 1, "quotes"),
        ("a: {b: 1} c\n", 1, "behind a closing bracket"),
        ("a: [1, 2\n", 2, "not closed"),
        ("a: {b}\n", 1, "without a value"),
        ("a: [1 2: 3]\n", 1, "not closed"),
        ("a: {{ b }}\n", 1, "plain values between brackets"),
        ('a: "\\x41"\n', 1, "an escape"),
        ("a: @b\n", 1, "quotes"),
        ("{% if a %}\n", 1, "plain values between brackets"),
    ],
)
def test_beyond_the_subset_it_is_unclear_with_its_line(text, line, why):
    with pytest.raises(UnclearError, match=why) as caught:
        parse(text, "/etc/a", " (changed)")

    assert caught.value.where == f"/etc/a:{line} (changed)"


@pytest.mark.parametrize("text", ["", "\n# x\n", "---\n", "---\n...\n", "~\n", "\ufeff"])
def test_an_empty_file_is_nothing(text):
    assert parse(text, "a").value is None


HOSTILE = {
    "brackets": "[" * 1_000_000,
    "dashes": "- " * 400_000,
    "depth": "".join("\n" + " " * depth + "a:" for depth in range(1000)),
    "no key": "a" * 1_000_000 + "\n b",
    "spaces": " " * 1_000_000 + "a\n" + " " * 1_000_000 + "b",
    "escapes": '"' + "\\" * 1_000_000,
    "spaces in brackets": "a: [" + " " * 1_000_000,
    "lines": "a\n" * 300_000,
    "braces": "{a: " * 250_000,
    "quotes": "a: '" + "''" * 500_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_text_is_unclear_and_soon(name):
    with pytest.raises(UnclearError):
        parse(HOSTILE[name], "a")


@pytest.mark.parametrize("level", ["{indent}a:\n", "{indent}-\n"])
def test_blocks_are_read_down_to_64_within_one_another(level):
    def nested(depth):
        depth -= 1  # The entry in the last one is one as well.
        return "".join(level.format(indent=" " * n) for n in range(depth)) + " " * depth + "- 1\n"

    parse(nested(64), "/a")
    with pytest.raises(UnclearError, match="more than 64 deep"):
        parse(nested(65), "/a")


def test_entries_on_one_line_are_read_down_to_64_within_one_another():
    parse("- " * 64 + "1\n", "/a")
    with pytest.raises(UnclearError, match="more than 64 deep"):
        parse("- " * 65 + "1\n", "/a")
