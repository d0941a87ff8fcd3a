"""The values section of a target file."""

import pytest
from pydantic import TypeAdapter, ValidationError

from capacity.domain.errors import ConfigError
from capacity.settings.dialect import parse
from capacity.settings.values import (
    Value,
    anchored_values,
    files_for_others,
    row_of,
    texts_of,
    too_few_rows,
    value_findings,
)

DUMPED = {
    "dialect": 1,
    "name": "keyed",
    "ws": {"url": "ws://h/{token}"},
    "http": {"base": "http://h"},
    "needs": ["token"],
    "channels": {"a": {"wire": "a"}},
    "data": {"where": {}},
    "rest": {"token": {"path": "/token", "method": "POST"}},
}
DIALECT = parse(DUMPED)


@pytest.fixture
def rows(tmp_path):
    file = tmp_path / "tokens.csv"
    file.write_text("user,token\nu1,t1\nu2,t2\n\nu3,t3\n")
    return str(file)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "exactly one of file, env, rows and operation (got none)"),
        ({"file": "a", "env": "b"}, "got file and env"),
        ({"operation": "token"}, "operation and path go together"),
        ({"file": "a", "path": "b"}, "operation and path go together"),
        ({"file": "a", "column": "b"}, "column is of no use without rows"),
    ],
)
def test_a_value_comes_from_one_place(settings, said):
    with pytest.raises(ValidationError) as error:
        TypeAdapter(Value).validate_python(settings)

    assert said in str(error.value)


def test_each_connection_has_a_row(rows):
    assert ["t1", "t2", "t3"] == texts_of("token", Value(rows=rows, column="token"))


def test_where_a_connection_has_its_values_from_is_told_where_that_is_a_row(rows):
    one = Value(rows=rows, column="user")

    assert f"row 8 of {rows}" == row_of({"u": one, "t": Value(rows=rows, column="token")}, 7)
    assert f"row 1 of {rows} and b.csv" == row_of({"u": one, "t": Value(rows="b.csv")}, 0)
    assert row_of({"u": "text", "t": Value(env="TOKEN")}, 0) is None


def test_one_column_needs_no_name(tmp_path):
    (tmp_path / "one.csv").write_text("token\nt1\n")

    assert ["t1"] == texts_of("token", Value(rows=str(tmp_path / "one.csv")))


@pytest.mark.parametrize(
    ("content", "column", "said"),
    [
        ("user,token\nu,t\n", "tokn", "no column tokn; column must be one of the 2 names"),
        ("user,token\nu,t\n", None, "no column to take; column must be one of the 2 names"),
        ("", "token", "one of the 0 names in its first line"),
        ("user,token\nu,t\nu\n", "token", "row 2 is empty in column token"),
    ],
)
def test_a_file_of_rows_that_cannot_be_used_says_why_and_shows_no_value(
    tmp_path, content, column, said
):
    file = tmp_path / "rows.csv"
    file.write_text(content)
    with pytest.raises(ConfigError) as error:
        texts_of("token", Value(rows=str(file), column=column))

    assert said in str(error.value)
    assert "u,t" not in str(error.value)


@pytest.mark.parametrize(("connections", "is_enough"), [(3, True), (4, False)])
def test_fewer_rows_than_connections_are_one_clear_error(rows, connections, is_enough):
    said = too_few_rows({"token": Value(rows=rows, column="token"), "x": "y"}, connections)

    assert said == (
        None
        if is_enough
        else f"values.token has 3 rows in {rows} for 4 connections; add rows, or have the profile ask"
        " for no more connections than there are rows"
    )


def test_what_the_dialect_needs_has_to_be_given_and_nothing_else():
    assert list(value_findings({}, DIALECT)) == [
        (("values",), "dialect keyed needs token; give it here")
    ]
    assert list(value_findings({"token": "t", "tokn": "t"}, DIALECT)) == [
        (("values", "tokn"), "dialect keyed needs no tokn, it needs token")
    ]


def test_a_value_that_cannot_be_had_is_a_finding_of_its_key(tmp_path):
    gone = tmp_path / "gone"

    assert list(value_findings({"token": Value(file=str(gone))}, DIALECT)) == [
        (("values", "token"), f"{gone} cannot be read: No such file or directory")
    ]
    assert list(value_findings({"token": Value(operation="tok", path="a")}, DIALECT)) == [
        (("values", "token", "operation"), "dialect keyed has no operation tok, it has token")
    ]
    assert list(value_findings({"token": Value(operation="token", path="a")}, DIALECT)) == []


@pytest.mark.parametrize(
    ("text", "is_wrong"), [("77", False), (" -7", False), ("mine", True), ("7.5", True)]
)
def test_a_value_that_a_template_makes_a_number_of_is_one_and_is_not_shown_else(text, is_wrong):
    numbered = parse({**DUMPED, "opening": [{"send": {"join": "{token:int}"}}]})
    said = "is no whole number, and dialect keyed has {token:int}; correct it there or here"

    assert list(value_findings({"token": text}, numbered)) == (
        [(("values", "token"), said)] if is_wrong else []
    )


def test_files_are_relative_to_the_target_file(tmp_path):
    values = {"a": Value(rows="r.csv"), "b": Value(env="E"), "c": "text"}

    assert anchored_values(values, tmp_path) == {**values, "a": Value(rows=str(tmp_path / "r.csv"))}


def test_values_in_files_that_others_may_read_are_named_by_key(tmp_path):
    for name, mode in (("open", 0o644), ("own", 0o600)):
        (tmp_path / name).write_text("token\na\n")
        (tmp_path / name).chmod(mode)
    values = {
        "key": Value(file=str(tmp_path / "open")),
        "token": Value(rows=str(tmp_path / "own")),
        "plain": "text",
    }

    assert [("values.key.file", str(tmp_path / "open"))] == files_for_others(values)


def test_what_an_operation_holds_must_be_had_before_it_is_asked():
    described = {
        "needs": ["token", "user", "session"],
        "rest": {"token": {"path": "/{user}", "body": {"s": "{session}", "t": "{token}"}}},
    }
    dialect = parse(DUMPED | described)
    asked = Value(operation="token", path="a")
    found = list(value_findings({"token": asked, "user": "u", "session": asked}, dialect))

    assert [("values", name, "operation") for name in ("token", "token", "session")] == [
        place for place, _wrong in found
    ]
    assert found[1][1] == (
        "token holds {session}, which is asked for no earlier; put session before token in needs of"
        " dialect keyed"
    )


KEYED = parse(
    DUMPED
    | {
        "needs": ["token", "private_key"],
        "signatures": {
            "sign": {"function": "ed25519", "key": "{private_key}", "text": "{token}"},
        },
    }
)
SEED = "A" * 43 + "="
"""Of an Ed25519 key: 32 zeros."""


def found(value):
    return list(value_findings({"token": "t", "private_key": value}, KEYED))


def test_a_private_key_may_come_from_a_file_the_environment_or_rows(tmp_path, monkeypatch):
    (tmp_path / "key").write_text(f"{SEED}\n")
    (tmp_path / "keys.csv").write_text(f"key\n{SEED}\n{SEED}\n")
    monkeypatch.setenv("KEY", SEED)
    given = [{"file": str(tmp_path / "key")}, {"env": "KEY"}, {"rows": str(tmp_path / "keys.csv")}]

    assert [[]] * 4 == [found(SEED), *(found(Value(**each)) for each in given)]


def test_what_is_no_private_key_is_told_by_where_it_stands_and_never_by_what_it_is(
    tmp_path, monkeypatch
):
    (tmp_path / "key").write_text("s3cret\n")
    (tmp_path / "keys.csv").write_text(f"key\n{SEED}\ns3cret\n")
    monkeypatch.setenv("KEY", "s3cret")
    given = {
        f"{tmp_path}/key is no private key": Value(file=str(tmp_path / "key")),
        "KEY of the environment is no private key": Value(env="KEY"),
        f"row 2 of {tmp_path}/keys.csv is no private key": Value(rows=str(tmp_path / "keys.csv")),
        "its value is no private key": "s3cret",
    }
    for said, value in given.items():
        [(place, wrong)] = found(value)

        assert ("values", "private_key") == place
        assert wrong.startswith(said)
        assert "s3cret" not in wrong


def test_nobody_hands_out_a_private_key():
    value = Value(operation="token", path="key")

    assert [
        (
            ("values", "private_key"),
            "is a private key, which nobody hands out; give it by file, env or rows",
        )
    ] == found(value)


def test_a_file_with_a_private_key_that_others_may_read_is_told(tmp_path):
    key = tmp_path / "key.pem"
    key.write_text(SEED)
    key.chmod(0o644)

    assert [("values.private_key.file", str(key))] == (
        files_for_others({"private_key": Value(file=str(key))})
    )
