"""Words and addresses of HAProxy's configuration."""

import pytest

from capacity.monitor.limits.applications.haproxy_syntax import (
    Line,
    Section,
    ports_of,
    sections,
    split,
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("maxconn 5 # few", ("maxconn", "5")),
        ("  a\\ b 'c #d' \"e'f\"", ("a b", "c #d", "e'f")),
        ("a '' \\#b", ("a", "", "#b")),
        ("# all", ()),
        ("a 'b", ("a", "b")),
        ("'a\\' b", ("a\\", "b")),
        ('"a\\"b" c', ('a"b', "c")),
        ("a\\", ("a",)),
        ("\\", ("",)),
        ("a  b ", ("a", "b")),
        ("a'b'c", ("abc",)),
    ],
)
def test_words_of_a_line(text, words):
    assert split(text) == words


@pytest.mark.parametrize(
    ("address", "ports"),
    [
        (":80", [80]),
        ("10.0.0.1:80-82", [80, 81, 82]),
        (":80,[::1]:81", [80, 81]),
        ("/run/socket", []),
        ("unix@/run/x:80", []),
        ("quic4@:443", []),
        (":port", []),
        (":1-99999", list(range(1, 1026))),
        (":65535", [65535]),
        (":123456", []),
        (":80-12345x", [80]),
        (":65000-65535", list(range(65000, 65536))),
        (":80-123456", [80]),
        (":80-", [80]),
        ("abns@x:80", []),
        ("", []),
    ],
)
def test_ports_of_a_bind_line(address, ports):
    assert list(ports_of(Line(words=("bind", address), where="a:1", is_conditional=False))) == ports


def test_a_line_before_any_section_belongs_to_none():
    assert sections([("maxconn 5", "a:1")]) == []


def test_a_section_gives_the_lines_that_begin_with_a_name():
    lines = [
        Line(words=words, where="a:1", is_conditional=False)
        for words in (("maxconn", "5"), ("server", "maxconn"), ("maxconn",))
    ]
    section = Section(kind="global", name="", defaults=None, lines=lines)

    assert [lines[0], lines[2]] == section.all("maxconn")


def read(text):
    return sections((line, f"a:{number}") for number, line in enumerate(text.splitlines(), start=1))


def test_lines_stand_in_their_sections():
    found = read("global\n maxconn 5\n\nfrontend a b\n bind :80\n bind :81,:82\nbackend\n x y")

    assert [("global", ""), ("frontend", "a"), ("backend", "")] == [
        (each.kind, each.name) for each in found
    ]
    assert [[("maxconn", "5")], [("bind", ":80"), ("bind", ":81,:82")], [("x", "y")]] == [
        [line.words for line in each.lines] for each in found
    ]
    assert ["a:5", "a:6"] == [line.where for line in found[1].lines]
    assert {80, 81, 82} == found[1].ports


def test_a_setting_is_the_last_of_its_section_and_else_that_of_its_defaults():
    found = read(
        "defaults\n maxconn 1\n maxconn 2\nfrontend a\nfrontend b\n maxconn 3\n maxconn 4\nglobal"
    )

    assert ["2", "2", "4", None] == [
        setting and setting.text for setting in (each.setting("maxconn") for each in found)
    ]


def test_sections_take_the_defaults_before_them_or_those_that_they_name():
    found = read(
        "defaults\n n 1\ndefaults base\n n 2\ndefaults more from base\n m 3\nfrontend a\n"
        "frontend b from base\nfrontend c from nowhere\ndefaults\nfrontend d"
    )
    by_name = {each.name: each for each in found if each.kind == "frontend"}

    assert {"a": ("2", "3"), "b": ("2", None), "c": (None, None), "d": (None, None)} == {
        name: tuple(setting and setting.text for setting in (each.setting("n"), each.setting("m")))
        for name, each in by_name.items()
    }


def test_a_section_may_be_called_as_the_word_that_names_defaults():
    found = read("defaults\n n 1\nfrontend a\nfrom 5\n")

    assert ("from", "5") == found[-1].lines[0].words
    assert "1" == found[-1].setting("n").text


def test_only_what_stands_within_a_condition_is_conditional():
    found = read("global\n a 1\n.if x\n b 1\n.if y\n c 1\n.endif\n d 1\n.endif\n e 1\n.notice z")

    assert {"a": False, "b": True, "c": True, "d": True, "e": False} == {
        line.words[0]: line.is_conditional for line in found[0].lines
    }
    assert ["1", "?"] == [line.value(line.words[0]).text for line in found[0].lines[:2]]


@pytest.mark.parametrize(
    ("words", "value"), [(("a", "n", "5", "n", "6"), "5"), (("a", "n"), None), (("n", "5"), "5")]
)
def test_a_value_is_the_word_behind_its_name(words, value):
    found = Line(words=words, where="a:1", is_conditional=False).value("n")

    assert value == (found and found.text)


def test_a_bind_line_without_an_address_has_no_port():
    assert [] == list(ports_of(Line(words=("bind",), where="a:1", is_conditional=False)))
