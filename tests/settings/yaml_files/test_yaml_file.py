"""Loading a file: every problem with its line, all of them at once."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from capacity.domain.errors import ConfigError, without_content
from capacity.settings.yaml_files.yaml_file import MOST_BYTES, load


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    port: Annotated[int, Field(ge=1, le=65535)]
    tls: bool = False


class Outer(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str
    inner: Inner
    rate_per_s: float = 1.0
    kinds: tuple[Literal["a", "b"], ...] = ("a",)
    few: Annotated[tuple[int, ...], Field(min_length=1)] = (1,)
    by_name: dict[Literal["x", "y"], Inner] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plain:
    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012 - pydantic's interface
    size: int


ADAPTER = TypeAdapter(Outer)


@pytest.fixture
def file(tmp_path, monkeypatch):
    """Write a text to f.yaml in the current folder and return the path."""
    monkeypatch.chdir(tmp_path)

    def write(text):
        path = tmp_path.joinpath("f.yaml").relative_to(tmp_path)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def message(path, adapter=ADAPTER, check=None):
    with pytest.raises(ConfigError) as error:
        load(path, adapter, check)
    return str(error.value)


def test_a_good_file_becomes_an_object(file):
    path = file("name: n\ninner: {port: 80}\nrate_per_s: 2\nkinds: [a, b]\nby_name: {x: {port: 1}}")

    assert load(path, ADAPTER) == Outer(
        name="n",
        inner=Inner(port=80),
        rate_per_s=2.0,
        kinds=("a", "b"),
        by_name={"x": Inner(port=1)},
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("inner: {port: 1}", "f.yaml:1: name: is required"),
        ("name: n\ninner:\n  tls: true", "f.yaml:2: inner.port: is required"),
        (
            "name: n\ninner: {port: true}",
            "f.yaml:2: inner.port: must be a whole number (got true)",
        ),
        (
            'name: n\ninner: {port: "80"}',
            'f.yaml:2: inner.port: must be a whole number (got "80")',
        ),
        (
            "name: n\ninner: {port: 8.5}",
            "f.yaml:2: inner.port: must be a whole number (got 8.5)",
        ),
        (
            "name: n\ninner:\n  port: 70000",
            "f.yaml:3: inner.port: must be less than or equal to 65535 (got 70000)",
        ),
        (
            "name: n\ninner: {port: 1, tls: on}",
            'f.yaml:2: inner.tls: must be true or false (got "on")',
        ),
        ("name: 7\ninner: {port: 1}", "f.yaml:1: name: must be text (got 7)"),
        ("name:\ninner: {port: 1}", "f.yaml:1: name: must be text (got null)"),
        ("name: n\ninner: 3", "f.yaml:2: inner: must be a mapping (got 3)"),
        (
            "name: n\ninner: {port: 1}\nkinds: a",
            'f.yaml:3: kinds: must be a list (got "a")',
        ),
        (
            "name: n\ninner: {port: 1}\nkinds:\n  - a\n  - c",
            "f.yaml:5: kinds[1]: must be 'a' or 'b' (got \"c\")",
        ),
        (
            "name: n\ninner: {port: 1}\nfew: []",
            "f.yaml:3: few: needs at least 1 item (got [])",
        ),
        (
            "name: n\ninner: {port: 1}\nfew: [x]",
            'f.yaml:3: few[0]: must be a whole number (got "x")',
        ),
        (
            "name: n\ninner: {port: 1}\nby_name:\n  z: {port: 1}",
            "f.yaml:4: by_name.z: must be 'x' or 'y' (got \"z\")",
        ),
        (
            "name: n\ninner: {port: 1}\nnmae: m",
            "f.yaml:3: nmae: unknown key; did you mean name?",
        ),
        (
            "name: n\ninner:\n  port: 1\n  password: secret",
            "f.yaml:4: inner.password: unknown key; allowed: port, tls",
        ),
        (
            "name: n\ninner: {port: 1}\nby_name: {x: {prot: 1, port: 1}}",
            "f.yaml:3: by_name.x.prot: unknown key; did you mean port?",
        ),
        ("[1]", "f.yaml:1: must be a mapping of keys to values (got [1])"),
        ("just words", 'f.yaml:1: must be a mapping of keys to values (got "just words")'),
        (b"a: \xff", "f.yaml:1: not UTF-8 text; save the file as UTF-8"),
        (b"a: 1\nb: \xff", "f.yaml:2: not UTF-8 text; save the file as UTF-8"),
        (
            b"a" * (MOST_BYTES + 1),
            "f.yaml: larger than 1048576 bytes; this is no settings file",
        ),
    ],
)
def test_a_bad_file_is_refused_with_line_key_value_and_what_is_allowed(file, text, expected):
    assert message(file(text)) == expected


def test_all_problems_come_at_once_in_the_order_of_the_file(file):
    path = file("nmae: n\ninner: {port: 0}\nrate_per_s: fast\ninner: {port: 2}\n")

    assert message(path) == (
        "f.yaml:1: name: is required\n"
        "f.yaml:1: nmae: unknown key; did you mean name?\n"
        "f.yaml:2: inner.port: must be greater than or equal to 1 (got 0)\n"
        'f.yaml:3: rate_per_s: must be a number (got "fast")\n'
        "f.yaml:4: inner: is given twice, first in line 2; keep one"
    )


def test_a_long_value_is_shown_in_part(file):
    shown = message(file(f"name: n\ninner: {'x' * 500}\n"))

    assert shown == f'f.yaml:2: inner: must be a mapping (got "{"x" * 59}…)'


def test_plain_dataclasses_are_held_to_the_same_rules(file):
    adapter = TypeAdapter(Plain)

    assert load(file("size: 3"), adapter) == Plain(size=3)
    assert message(file("size: 3\nsiez: 4"), adapter) == (
        "f.yaml:2: siez: unknown key; did you mean size?"
    )
    assert message(file("other: 3"), adapter) == (
        "f.yaml:1: size: is required\nf.yaml:1: other: unknown key; allowed: size"
    )


def test_findings_of_a_check_carry_their_lines(file):
    path = file("name: n\ninner:\n  port: 22\n")

    def check(settings):
        if settings.inner.port == 22:
            yield ("inner", "port"), "is the door of another service"

    assert message(path, ADAPTER, check) == ("f.yaml:3: inner.port: is the door of another service")


def test_a_file_that_cannot_be_opened_says_so(tmp_path):
    assert message(tmp_path / "none.yaml") == (
        f"{tmp_path / 'none.yaml'}: cannot be read: No such file or directory"
    )
    assert message(tmp_path) == f"{tmp_path}: cannot be read: Is a directory"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("- a\n- hunter2", "f.yaml:1"),
        ("name: n\ninner: {port: hunter2}", "f.yaml:2"),
        ("name: n\nhunter2: 1\ninner: {port: 1}", "f.yaml:2"),
        ("name: n\n hunter2: [", "f.yaml:2"),
        ("name: !hunter2 x", "f.yaml:1"),
    ],
)
def test_what_is_wrong_can_be_told_without_what_stands_in_the_file(file, text, place):
    with pytest.raises(ConfigError) as error:
        load(file(text), ADAPTER)
    told = without_content(error.value)

    assert "hunter2" not in told
    assert told.startswith(f"not valid: {place}")


def test_what_names_no_content_is_told_as_it_is(file):
    assert "f.yaml: cannot be read: " in without_content(ConfigError("f.yaml: cannot be read: x"))


def test_a_pipe_or_a_device_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "fifo.yaml")

    for path in (tmp_path / "fifo.yaml", Path("/dev/zero")):
        assert message(path) == f"{path}: a pipe or a device, and no settings file"


@dataclass(frozen=True, slots=True, kw_only=True)
class Either:
    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012 - pydantic's interface
    one: Plain | tuple[Plain, ...]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("one: {size: a}", 'f.yaml:1: one.size: must be a whole number (got "a")'),
        ("one:\n- {size: 1}\n- {size: a}", 'f.yaml:3: one[1].size: must be a whole number (got "a")'),
        ("one: {}", "f.yaml:1: one.size: is required"),
        ("one: 7", "f.yaml:1: one: must be a mapping or a list (got 7)"),
    ],
)  # fmt: skip
def test_of_what_may_be_one_or_a_list_only_the_form_is_told_that_it_has(file, text, said):
    assert said == message(file(text), TypeAdapter(Either))
