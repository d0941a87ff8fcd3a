import pytest

from capacity.domain.outside import MOST, NoNumber, is_number, lenient_json, strict_json

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
