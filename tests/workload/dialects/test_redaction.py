"""What people are shown of texts that hold what a target file gives."""

import json
from urllib.parse import quote

import pytest

from capacity.workload.dialects.redaction import redacted, redacted_words

TOKEN = b"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c"
SECRET = 'of "mine"/ü\n2'


def test_values_are_shown_by_their_names_unless_they_are_too_short_to_be_secret():
    text = b'{"key":"abcd","sign":"abcd1","n":"abc"}'

    assert b'{"key":"{key}","sign":"{key}1","n":"abc"}' == redacted(
        text, {"key": "abcd", "short": "abc"}
    )


def test_signed_tokens_are_not_shown_either():
    assert b'{"token":"{token}","a":"eyJ.b.c"}' == redacted(
        b'{"token":"%s","a":"eyJ.b.c"}' % TOKEN, {}
    )


@pytest.mark.parametrize(
    "written",
    [
        SECRET,
        json.dumps(SECRET),
        json.dumps(SECRET, ensure_ascii=False),
        f"/login?by={quote(SECRET, safe='')}",
    ],
    ids=["as it is", "JSON in ASCII", "JSON", "an address"],
)
def test_they_are_found_however_they_are_written(written):
    shown = redacted(f"no: {written}".encode(), {"secret": SECRET}).decode()

    assert "{secret}" in shown
    assert "mine" not in shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("no key-of-mine-1 here", "no {key} here"),
        ("cut: key-of-mi", "cut: {key}"),
        ("cut: key-of-", "cut: key-of-"),
        ("demo is short", "demo is short"),
    ],
)
def test_of_what_a_target_says_short_words_are_left_and_the_begin_of_a_value_at_its_end_is_not(
    text, shown
):
    assert shown == redacted_words(text, {"key": "key-of-mine-1", "user": "demo"})


def test_numbers_are_values_as_well():
    assert b'{"account":{account}}' == redacted(b'{"account":12345}', {"account": 12345})
