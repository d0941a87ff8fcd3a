"""Numbers as configurations write them, and what is never shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.monitor.limits.applications.settings import Setting, UnclearError, number


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5),
        (" 0 ", 0),
        ("2k", 2000),
        ("2 K", 2000),
        ("999999999999999999", 999_999_999_999_999_999),
        ("9999999999999999999", None),
        ("-1", None),
        ("1.5", None),
        ("5m", None),
        ("$A", None),
        ("", None),
        ("٣", None),
    ],
)
def test_a_plain_number_and_its_prefix(text, value):
    assert number(text, {"k": 1000}) == value


def test_what_is_unclear_says_where_and_not_what():
    setting = Setting("maxconn", "secret", "/a:3")

    assert setting.source == "/a:3: maxconn"
    with pytest.raises(UnclearError, match="maxconn is no plain number there") as raised:
        setting.number()
    assert raised.value.where == "/a:3"


def test_a_number_is_shown():
    assert Setting("maxconn", "5", "/a:3").source == "/a:3: maxconn 5"


@given(st.text())
def test_any_text_is_a_number_or_none(text):
    assert (number(text) or 0) >= 0
