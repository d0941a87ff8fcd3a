import pytest

from capacity.domain.errors import ConfigError
from capacity.domain.outside import (
    MOST,
    NoNumber,
    is_number,
    lenient_json,
    strict_json,
    utf8_text,
)

NONE = [
    "NaN",
    "Infinity",
    "-Infinity",
    "1e999",
    "-1e22",
    "9" * 22,
    "9" * 5000,
    "1e21.".rstrip(".") + "1",
]


@pytest.mark.parametrize("text", NONE)
def test_what_is_no_number_is_told_apart_or_refused(text):
    (value,) = lenient_json(f"[{text}]")

    assert NoNumber(text) == value
    assert len(str(value)) <= 21
    with pytest.raises(ValueError, match="is no number to reckon with"):
        strict_json(f"[{text}]")


@pytest.mark.parametrize("value", [0, -1, 1.5, 2**64, 1e21, -1e21])
def test_a_number_is_itself(value):
    assert is_number(value)
    assert value == strict_json(f"{value!r}") == lenient_json(f"{value!r}")


@pytest.mark.parametrize("value", [True, "1", None, float("nan"), float("inf"), MOST * 1.001])
def test_nothing_else_is_reckoned_with(value):
    assert not is_number(value)


@pytest.mark.parametrize("text", ["[" * 100_000, "{", b"\xff", ""])
def test_what_is_no_json_is_a_value_error(text):
    with pytest.raises(ValueError, match=r"."):
        strict_json(text)
    with pytest.raises(ValueError, match=r"."):
        lenient_json(text)


def test_text_is_text_with_or_without_a_mark_of_its_encoding():
    assert "aä" == utf8_text(b"\xef\xbb\xbfa\xc3\xa4", "x") == utf8_text(b"a\xc3\xa4", "x")


def test_what_is_no_text_is_refused_with_its_line():
    with pytest.raises(ConfigError, match=r"^a\.yaml:3: not UTF-8 text; save it anew$"):
        utf8_text(b"1\n2\n\xff\n", "a.yaml", "; save it anew")
