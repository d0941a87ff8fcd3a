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
