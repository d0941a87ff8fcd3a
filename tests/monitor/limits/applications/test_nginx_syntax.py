"""Words, quotes and blocks of nginx's configuration."""

import pytest

from capacity.monitor.limits.applications.nginx_syntax import tokens, tree
from capacity.monitor.limits.applications.settings import UnclearError


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


@pytest.fixture
def read(made):
    def read(text):
        made.write("/etc/a.conf", text)
        return tree(made.process("nginx"), "/etc/a.conf", "/etc")

    return read


def shape(directive):
    return [(each.name, each.words, shape(each)) for each in directive.block]


def test_directives_stand_in_their_blocks(read):
    found = read("a 1 2; b x { c; d { } } e;")

    assert shape(found) == [
        ("a", ("1", "2"), []),
        ("b", ("x",), [("c", (), []), ("d", (), [])]),
        ("e", (), []),
    ]
    assert "1 2" == found.block[0].text
    assert ["c", "d"] == [each.name for each in found.all("c", "d")]
    assert [] == list(found.all("x"))


@pytest.mark.parametrize(
    ("text", "reason", "where"),
    [
        ("a;\n}", "a block ends that never began", "/etc/a.conf:2"),
        ("a;\n;", "; where it cannot stand", "/etc/a.conf:2"),
        ("{ }", "{ where it cannot stand", "/etc/a.conf:1"),
        ("a {\n b }", "} where it cannot stand", "/etc/a.conf:2"),
        ("a;\nb", "ends within a directive", "/etc/a.conf"),
        ("a { b;", "ends within a block", "/etc/a.conf"),
        ("a {" * 16 + "}" * 16, "blocks more than 16 deep", "/etc/a.conf:1"),
    ],
)
def test_what_is_no_configuration_says_where(read, text, reason, where):
    with pytest.raises(UnclearError, match=reason) as raised:
        read(text)

    assert where == raised.value.where


def test_fifteen_blocks_within_one_another_are_read(read):
    assert 15 == sum(1 for _ in read("a {" * 15 + "}" * 15).all("a"))


def test_sixteen_files_may_include_one_another(made, read):
    for number in range(16):
        made.write(f"/etc/{number}.conf", f"include {number + 1}.conf;")
    made.write("/etc/16.conf", "last;")
    with pytest.raises(UnclearError, match="more than 16 deep"):
        read("include 0.conf;")

    assert ["last"] == [each.name for each in read("include 1.conf;").block]


def test_an_included_file_stands_in_the_block_that_includes_it(made, read):
    made.write("/etc/in.conf", "c 1;\nc 2;")
    found = read("a;\nb {\n include in.conf;\n d; }")

    assert ["c", "c", "d"] == [each.name for each in found.block[1].block]
    assert ["/etc/in.conf:1", "/etc/in.conf:2"] == [each.where for each in found.all("c")]


@pytest.mark.parametrize("text", ["include;", "include { a; }"])
def test_an_include_of_nothing_is_a_directive(read, text):
    assert ["include"] == [each.name for each in read(text).block]


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("a {", ["word", "mark"]),
        ("'a' \"b\"", ["word", "word"]),
        ("x_by_lua_block { } y { }", ["word", "mark", "word", "mark", "mark"]),
        ("x_by_lua_block z; y { }", ["word", "word", "mark", "word", "mark"]),
    ],
)
def test_quoted_words_are_words_and_lua_is_a_mark(text, kinds):
    assert kinds == [kind for kind, _word, _line in tokens(text)]


def test_braces_in_texts_and_comments_of_lua_do_not_count():
    text = "x_by_lua_block { a = \"}\" b = '}' c = {} -- }\n { } } y;\nz;"

    assert [("y", 2), ("z", 3)] == [
        (word, line) for _kind, word, line in tokens(text) if word in {"y", "z"}
    ]
