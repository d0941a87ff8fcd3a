"""Files of one setting a line."""

import pytest

from capacity.monitor.limits.applications.config_lines import in_sections, plain, settings


@pytest.mark.parametrize(
    "text", ["most 5", "most=5", "most = 5 # few", "Most: 5,", "  most\t'5'", 'most = "5" x']
)
def test_a_setting_is_read_as_it_is_written(text):
    assert [tuple(each) for each in settings([(text, "a:1")], {"most"})] == [("most", "5", "a:1")]


@pytest.mark.parametrize("text", ["# most 5", "", "   ", "mostly 5", "most", "most.5"])
def test_other_lines_are_none(text):
    assert list(settings([(text, "a:1")], {"most"})) == []


def test_a_sign_may_begin_a_comment():
    assert plain("5 ; few", "#;") == "5"
    assert plain("5 ; few") == "5 ; few"


def test_sections_go_on_to_the_next_one():
    lines = [("a", "1"), ("[One]", "2"), ("b", "3"), ("[two] x", "4"), ("c", "5")]

    assert list(in_sections(lines)) == [("", "a", "1"), ("one", "b", "3"), ("two", "c", "5")]


@pytest.mark.parametrize(
    ("value", "bare"),
    [
        ("5", "5"),
        (" 5 # few", "5"),
        ("'5 # few' x", "5 # few"),
        ('"5', "5"),
        ("5,;", "5"),
        ("", ""),
        ("5'", "5'"),
    ],
)
def test_a_value_is_without_its_quotes_and_its_comment(value, bare):
    assert bare == plain(value)


def test_every_line_has_its_setting_and_its_place():
    lines = [("; a 1", "f:1"), ("a 2", "f:2"), ("b: 3 ; x", "f:3"), ("A=4", "f:4")]

    assert [("a", "2", "f:2"), ("b", "3", "f:3"), ("a", "4", "f:4")] == [
        tuple(each) for each in settings(lines, {"a", "b"}, comments=";#")
    ]


@pytest.mark.parametrize(
    ("text", "section"), [("[One]", "one"), ("[ a b ] ]", "a b"), ("[one", ""), ("one]", "")]
)
def test_a_section_has_its_name_in_brackets(text, section):
    *_before, (found, _text, _where) = in_sections([(text, "1"), ("a", "2")])

    assert section == found


def test_a_prefix_stands_for_names_that_are_numbered():
    lines = [("listeners.tcp.1 = 5672", "a:1"), ("listen = 3", "a:2"), ("other = 1", "a:3")]

    assert [each.name for each in settings(lines, {"other"}, prefixes=("listeners.",))] == [
        "listeners.tcp.1",
        "other",
    ]
