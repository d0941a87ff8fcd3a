"""Messages that are text and no JSON."""

import orjson
import pytest

from capacity.workload.dialects.encodings.patterned import Pattern, written

LINES = Pattern(r"(?P<op>[A-Z]+) (?P<name>\S+)(?: (?P<body>[^\n]*))?\n")


def test_each_match_is_a_message_with_the_groups_that_took_part():
    assert [b"MSG a {}\n", b"PING b\n"] == LINES.divide(b"MSG a {}\nPING b\n")
    assert {"op": "PING", "name": "b"} == LINES.parse(b"PING b\n")


def test_the_body_is_read_as_json_where_it_is():
    assert {"x": 1} == LINES.parse(b'MSG a {"x": 1}\n')["body"]
    assert "no json" == LINES.parse(b"MSG a no json\n")["body"]
    assert "5" == LINES.parse(b"MSG 5\n")["name"]


def test_what_lies_between_matches_is_a_message_that_fits_nothing():
    parts = LINES.divide(b"junk!PING b\n\r\n\0")

    assert [b"junk!", b"PING b\n"] == parts
    with pytest.raises(orjson.JSONDecodeError, match=r"does not fit messages\.pattern"):
        LINES.parse(b"junk!")


def test_nothing_is_lost_of_a_payload_without_a_match():
    assert [b"", b"x"] == [LINES.divide(b"")[0], LINES.divide(b"x")[0]]
    assert [b"ab"] == Pattern("(?P<a>x*)").divide(b"ab")


def test_a_text_is_sent_as_it_stands():
    assert b"SUB a\r\n" == written("SUB a\r\n")
    assert b'{"a":1}' == written({"a": 1})


@pytest.mark.parametrize("text", [b"A x=1;", b"A x=1;A x=2;", b"A x=1", b"", b"B\r\n"])
def test_what_was_divided_is_parsed_as_if_it_came_alone(text):
    expression = "A x=(?P<x>\\d);|(?P<b>B)\r\n"
    dividing = Pattern(expression)
    messages = dividing.divide(text)

    assert parsed_or_none(dividing, messages) == parsed_or_none(Pattern(expression), messages)
    assert parsed_or_none(dividing, [b"A x=9;"]) == [{"x": "9"}]


def parsed_or_none(pattern, messages):
    found = []
    for message in messages:
        try:
            found.append(pattern.parse(message))
        except orjson.JSONDecodeError:
            found.append(None)
    return found
