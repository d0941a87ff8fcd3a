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
