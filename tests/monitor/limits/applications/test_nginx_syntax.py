"""Words, quotes and blocks of nginx's configuration."""

import pytest

from capacity.monitor.limits.applications.nginx_syntax import tokens, tree


def words(text):
    return [word for _, word, _ in tokens(text)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a b; # c {", ["a", "b", ";"]),
        ("a 'b; c' \"d}\";", ["a", "b; c", "d}", ";"]),
        ("a ${b}c;", ["a", "${b}c", ";"]),
        ("a b\\;c;", ["a", "b\\;c", ";"]),
        ("x_by_lua_block { '}' -- }\n} a;", ["x_by_lua_block", ";", "a", ";"]),
        ("x_by_lua_block { {", ["x_by_lua_block", ";"]),
        ("'", ["'"]),
        ("\\", []),
    ],
)
def test_words_and_marks(text, found):
    assert words(text) == found


def test_lines_are_counted_through_quotes_comments_and_lua():
    text = "a 'b\nc'; # d\nx_by_lua_block {\n}\ne;"

    assert [line for _, word, line in tokens(text) if word in {"a", "e"}] == [1, 5]


def test_a_directive_stands_where_its_name_does(made):
    made.write("/a.conf", "\n\nhttp {\n server\n {\n listen 80; } }")
    main = tree(made.process("nginx"), "/a.conf", "/")

    assert [each.where for each in main.all("server", "listen")] == ["/a.conf:4", "/a.conf:6"]
