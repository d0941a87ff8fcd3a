"""Values in brackets: read as JSON reads them."""

import json
import runpy
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.monitor.limits.applications.documents.flow import Flow
from capacity.monitor.limits.applications.settings import UnclearError

HELPERS = runpy.run_path(str(Path(__file__).with_name("plain_values.py")))
plain, texts = HELPERS["plain"], HELPERS["texts"]
MOST_DEPTH = 64

WORDS = st.text(max_size=6)
VALUES = st.recursive(
    WORDS | st.integers() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=12,
)


def read(text):
    node, end = Flow(text, "/etc/a", "").read(0, 1)
    return plain(node), end


@given(st.lists(VALUES, max_size=3), st.sampled_from([None, 2]))
def test_it_reads_json(value, indent):
    text = json.dumps(value, indent=indent)

    assert read(f"{text} behind") == (texts(value), len(text))


def test_it_reads_what_yaml_has_beyond_json():
    text = "{a: b c, # why\n 'd': [e,], f: http://g:80/h, i: ~}"

    assert read(text)[0] == {"a": "b c", "d": ["e"], "f": "http://g:80/h", "i": None}


@pytest.mark.parametrize(("more", "is_read"), [(0, True), (1, False)])
def test_it_is_read_down_to_a_bound(more, is_read):
    depth = MOST_DEPTH + 1 + more
    text = "[" * depth + "]" * depth
    if is_read:
        assert read(text)[1] == len(text)
        return
    with pytest.raises(UnclearError, match=f"more than {MOST_DEPTH} deep"):
        read(text)


@pytest.mark.parametrize("text", ["[a", "{a: b", "{a}", "{a: b, a: c}", "[a: b]", "[*a]", "[a]]"])
def test_what_is_no_value_in_brackets_is_unclear(text):
    if text == "[a]]":
        assert read(text) == (["a"], 3)
        return
    with pytest.raises(UnclearError) as caught:
        read(text)
    assert caught.value.where == "/etc/a:1"
