"""Every resource has a name to show, and no two share one."""

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.domain.load import LoadVector
from capacity.domain.resources import Resource
from capacity.domain.words import (
    LOADS,
    LONGEST_TEXT,
    RESOURCES,
    at_ports,
    listed,
    printable,
    private_part,
    says_login_ended,
    says_too_fast,
)


def test_every_resource_has_words_of_its_own():
    assert set(Resource) == set(RESOURCES)
    assert len(RESOURCES) == len(set(RESOURCES.values()))


def test_no_name_shows_how_a_program_spells_it():
    assert [] == [words for words in (*RESOURCES.values(), *LOADS.values()) if "_" in words]


def test_parts_of_the_load_are_named_by_field():
    assert set(LOADS) <= {field.name for field in fields(LoadVector)}


@pytest.mark.parametrize(
    ("names", "expected"),
    [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")],
)
def test_names_are_listed_as_one_says_them(names, expected):
    assert listed(names) == expected


@pytest.mark.parametrize(
    ("ports", "expected"),
    [
        ((), "a"),
        ((80,), "a at port 80"),
        ((80, 81), "a at ports 80 and 81"),
        ((1, 2, 3, 4, 5), "a at ports 1, 2, 3 and 2 more"),
    ],
)
def test_ports_are_named_as_far_as_there_is_room(ports, expected):
    assert at_ports("a", ports) == expected


@given(st.text(max_size=2_000))
def test_whatever_a_stranger_writes_becomes_one_short_visible_line(text):
    shown = printable(text)

    assert shown.isprintable()
    assert len(shown) <= LONGEST_TEXT
    assert shown.encode("utf-8").decode("utf-8") == shown


def test_ordinary_names_stay_as_they_are():
    assert printable("venue-1 (Zürich) 取引所") == "venue-1 (Zürich) 取引所"


def test_escapes_overrides_and_halves_of_characters_are_replaced():
    shown = printable("a\x1b[31m\u202eb\nc\ud800")

    assert shown == "a�[31m�b c�"


def test_a_text_may_be_cut_shorter_where_there_is_less_room():
    assert printable("abcdef", 4) == "abc…"


def test_private_connections_are_told_also_where_none_is_open_and_only_where_there_can_be_some():
    assert ["", ", 0 of them private", ", 4 of them private"] == [
        private_part(count) for count in (None, 0, 4)
    ]


@pytest.mark.parametrize(
    ("text", "is_pace"),
    [
        ("Too many requests", True),
        ("60014 Requests too frequent.", True),
        ("Too many visits!", True),
        ("Too much requests queued", True),
        ("You log in too often", True),
        ("rate limit exceeded", True),
        ("Too many sessions", False),
        ("Too many connections of this user", False),
        ("please log in", False),
    ],
)
def test_words_about_the_pace_are_told_from_those_about_a_number(text, is_pace):
    assert is_pace is says_too_fast(text)


@pytest.mark.parametrize(
    ("text", "is_login"),
    [
        ("60011 Please log in", True),
        ("60024 Token expired, log in again", True),
        ("session has expired", True),
        ("Expired token", True),
        ("13009 unauthorized", True),
        ("Too many symbols", False),
        ("the token bucket is empty", False),
        ("order expired", False),
    ],
)
def test_words_about_a_login_are_told_from_others(text, is_login):
    assert is_login is says_login_ended(text)
