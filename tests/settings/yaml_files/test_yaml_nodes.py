"""YAML as data with lines."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.domain.errors import ConfigError
from capacity.settings.yaml_files.yaml_nodes import MOST_NODES, read


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("on", "on"),
        ("yes", "yes"),
        ("NO", "NO"),
        ("true", True),
        ("False", False),
        ("~", None),
        ("", None),
        ("null", None),
        ("12", 12),
        ("-7", -7),
        ("010", 10),
        ("1_000", "1_000"),
        ("10:30", "10:30"),
        ("0x1F", "0x1F"),
        ("2026-01-01", "2026-01-01"),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("'12'", "12"),
        ('"true"', "true"),
        ("BTC-PERPETUAL", "BTC-PERPETUAL"),
    ],
)
def test_scalars_are_what_yaml_1_2_says(text, value):
    document = read(f"a: {text}\n", "f.yaml")

    assert document.data == {"a": value}
    assert type(document.data["a"]) is type(value)
    assert document.problems == []


def test_keys_and_items_know_their_lines():
    document = read("a: 1\nb:\n  c: [x,\n    y]\n\n  d:\n    - e: 2\n", "f.yaml")

    assert document.data == {"a": 1, "b": {"c": ["x", "y"], "d": [{"e": 2}]}}
    assert document.line_of(("b", "c", 1)) == 4
    assert document.line_of(("b", "d", 0, "e")) == 7
    assert document.line_of(("b", "nothing", "at all")) == 2
    assert document.line_of(("nothing",)) == 1


def test_steps_that_a_validator_adds_are_left_out_of_a_place():
    document = read("a:\n  b: 1\n", "f.yaml")

    assert document.place_of(("safe", "a", "tagged-union", "b")) == ("a", "b")
    assert document.place_of(("safe", "a", "missing")) == ("a", "missing")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: 1\na: 2", (2, ("a",), "is given twice, first in line 1; keep one")),
        ("x: {b: 1,\n b: 2}", (2, ("x", "b"), "is given twice, first in line 1; keep one")),
        ("1: a", (1, (), "a key must be text (got 1); put it in quotes")),
        ("? [a]\n: b", (1, (), "a key must be text (got a collection); put it in quotes")),
        ("a: .inf", (1, ("a",), "not a usable value (got '.inf')")),
        ("a: 1e999", (1, ("a",), "not a usable value (got '1e999')")),
        ("a: " + "9" * 30, (1, ("a",), f"not a usable value (got '{'9' * 30}')")),
        ("a: " + "9" * 9000, (1, ("a",), f"not a usable value (got '{'9' * 40}')")),
        ('a: "\\ud800"', (1, ("a",), "not a usable value (got '\\ud800')")),
        (
            "a: !!python/name:os.system x",
            (
                1,
                ("a",),
                (
                    "has the tag tag:yaml.org,2002:python/name:os.system, which means nothing "
                    "here; remove it"
                ),
            ),
        ),
        ("a: !mine [1]", (1, ("a",), "has the tag !mine, which means nothing here; remove it")),
    ],
)
def test_what_is_wrong_whatever_the_file_is_about_is_found(text, problem):
    assert read(text, "f.yaml").problems == [problem]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "f.yaml: the file is empty; config/README.md lists its keys"),
        ("# nothing\n", "f.yaml: the file is empty; config/README.md lists its keys"),
        ("a: [1\nb: 2", "f.yaml:2: not valid YAML: expected ',' or ']', but got ':'"),
        (
            "a: 1\n\tb: 2",
            (
                "f.yaml:2: not valid YAML: found character '\\t' that cannot start any token; indent with"
                " spaces, not with tabs"
            ),
        ),
        ("a: *nope", "f.yaml:1: not valid YAML: found undefined alias 'nope'"),
        ("a: 1\n---\nb: 2", "f.yaml:2: not valid YAML: but found another document"),
        ("a: " + "[" * 3000, "f.yaml: nested too deeply, at most 40 levels"),
        ("a: " + "[" * 300 + "]" * 300, "f.yaml: nested too deeply, at most 40 levels"),
        ("a: &a [*a]", "f.yaml: nested too deeply, at most 40 levels"),
    ],
)
def test_what_cannot_be_read_at_all_says_why(text, message):
    with pytest.raises(ConfigError) as error:
        read(text, "f.yaml")

    assert str(error.value) == message


def test_aliases_that_multiply_are_bounded():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    with pytest.raises(ConfigError) as error:
        read("\n".join(lines), "bomb.yaml")

    expected = f"bomb.yaml: more than {MOST_NODES} values, aliases counted where they are used"
    assert str(error.value) == expected


@given(st.text(alphabet=st.sampled_from(list("ab:-[]{}&*!|>'\"# \n\t,?%@~1.e")), max_size=40))
def test_any_text_is_read_or_refused_in_one_sentence(text):
    try:
        document = read(text, "f.yaml")
    except ConfigError as error:
        said, line = str(error), 1
    else:
        said, line = "f.yaml", document.lines[()]

    assert said.startswith("f.yaml")
    assert "\n" not in said
    assert line >= 1
