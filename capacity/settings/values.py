"""The `values` section of a target file: what templates of the dialect need and nobody else may know."""

import csv
import re
from collections.abc import Container, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from capacity.domain.errors import ConfigError
from capacity.settings.dialects.signature_findings import wrong_keys
from capacity.settings.locate import beside
from capacity.settings.secrets import open_to_others, secret_text
from capacity.settings.yaml_files.yaml_file import Finding
from capacity.workload.dialects.dialect import Dialect
from capacity.workload.dialects.endpoints import Secret
from capacity.workload.dialects.template import names, places
from capacity.workload.dialects.values import needed_for

ORIGINS = ("file", "env", "rows", "operation")
MOST_ROWS = 1_000_000
_NUMBER = re.compile(r"\s*[+-]?\d{1,4000}\s*", re.ASCII)
"""What int() takes."""


class Value(BaseModel):
    """Exactly one of file, env, rows and operation."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)
    file: str | None = None
    """File that holds the value, without its last newline; relative to the target file."""
    env: str | None = None
    """Variable of the environment that holds it, on every host of the generator."""
    rows: str | None = None
    """CSV file with a value for each connection, one a line below the names of its columns;
    connection i has the i-th. Fewer lines than connections are an error."""
    column: Annotated[str, Field(min_length=1)] | None = None
    """Name of the column in rows; needed unless there is only one."""
    operation: str | None = None
    """Operation of the dialect's rest section that hands out a value before each connect, such as a login
    with the user and password of a row; values of one operation come from one answer. What it holds
    itself must stand before in `needs` where it is asked for too."""
    path: str | None = None
    """Path of the value in its JSON answer; needed by operation."""

    @model_validator(mode="after")
    def _has_one_origin(self) -> Self:
        named = [name for name in ORIGINS if getattr(self, name) is not None]
        if len(named) != 1:
            raise ValueError(
                f"needs exactly one of file, env, rows and operation (got {' and '.join(named) or 'none'})"
            )
        if (self.operation is None) != (self.path is None):
            raise ValueError("operation and path go together")
        if self.column is not None and self.rows is None:
            raise ValueError("column is of no use without rows")
        return self


Values = Mapping[str, str | Value]


def anchored_values(values: Values, folder: Path) -> dict[str, str | Value]:
    """Return *values* with files that are named relative to *folder*."""
    return {
        name: value
        if isinstance(value, str)
        else value.model_copy(
            update={
                key: beside(folder, file)
                for key in ("file", "rows")
                if (file := getattr(value, key)) is not None
            }
        )
        for name, value in values.items()
    }


def value_findings(
    values: Values, dialect: Dialect, channels: Container[str] | None = None
) -> Iterator[Finding]:
    """Yield what the dialect needs for *channels*, all by default, and does not get, and what cannot be had."""
    for name in needed_for(dialect, dialect.channels if channels is None else channels):
        if name not in values:
            yield ("values",), f"dialect {dialect.name} needs {name}; give it here"
    for name, value in values.items():
        if name not in dialect.needs:
            known = ", ".join(dialect.needs) or "nothing"
            yield ("values", name), f"dialect {dialect.name} needs no {name}, it needs {known}"
            continue
        if isinstance(value, Value):
            if value.operation is not None and value.operation not in dialect.rest:
                known = ", ".join(dialect.rest) or "none"
                yield (
                    ("values", name, "operation"),
                    f"dialect {dialect.name} has no operation {value.operation}, it has {known}",
                )
            else:
                yield from _asked_before(name, value, values, dialect)
        try:
            texts = texts_of(name, value)
        except ConfigError as error:
            yield ("values", name), str(error).removeprefix(f"values.{name}: ")
        else:
            yield from _as_key(name, value, texts, dialect)
            yield from _as_number(name, texts, dialect)


def _as_key(
    name: str, value: str | Value, texts: str | list[str] | None, dialect: Dialect
) -> Iterator[Finding]:
    """Yield why a value cannot sign what it is needed for as a private key."""
    place = ("values", name)
    if texts is None:
        if any(
            each.has_private_key and name in names(each.key) for each in dialect.signatures.values()
        ):
            yield place, "is a private key, which nobody hands out; give it by file, env or rows"
        return
    for n, wrong in wrong_keys(dialect, name, [texts] if isinstance(texts, str) else texts):
        origin = "its value"
        if isinstance(value, Value):
            row = f"row {n + 1} of {value.rows}"
            origin = value.file or (
                row if value.rows is not None else f"{value.env} of the environment"
            )
        yield place, f"{origin} {wrong}"


def _as_number(name: str, texts: str | list[str] | None, dialect: Dialect) -> Iterator[Finding]:
    """Yield that a value is no number where a template makes one of it; what it is is not told."""
    held = places(asdict(dialect) | {"orders": None})
    place = next((each for each in held if each.name == name and each.cast == "int"), None)
    given = [texts] if isinstance(texts, str) else texts or []
    if place is not None and not all(_NUMBER.fullmatch(text) for text in given):
        yield (
            ("values", name),
            f"is no whole number, and dialect {dialect.name} has {place.shown}; correct it there or here",
        )


def _asked_before(name: str, value: Value, values: Values, dialect: Dialect) -> Iterator[Finding]:
    """Yield which values the operation that hands out *name* holds before they can be had."""
    operation = dialect.rest.get(value.operation or "")
    if operation is None:
        return
    held = set(names([operation.path, operation.query, operation.body]))
    for other in dialect.needs[dialect.needs.index(name) :]:
        given = values.get(other)
        if other in held and isinstance(given, Value) and given.operation is not None:
            wrong = (
                f"{value.operation} holds {{{other}}}, which is asked for no earlier; put {other} before"
                f" {name} in needs of dialect {dialect.name}"
            )
            yield ("values", name, "operation"), wrong


def texts_of(name: str, value: str | Value) -> str | list[str] | None:
    """Return a value, or one for each connection; None where it is asked for at each connect.

    Raises ConfigError, which never says what a value is.
    """
    what = f"values.{name}"
    if isinstance(value, str):
        return value
    if value.rows is not None:
        return _column(Path(value.rows), value.column, what)
    if value.operation is not None:
        return None
    return secret_text(Secret(file=value.file, env=value.env), what)


def _column(file: Path, column: str | None, what: str) -> list[str]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as opened:
            lines = [line for line in csv.reader(opened) if line]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else "is no CSV text"
        raise ConfigError(f"{what}: {file} cannot be read: {reason}") from None
    names = lines[0] if lines else []
    if column is None and len(names) == 1:
        column = names[0]
    if column not in names:
        raise ConfigError(
            f"{what}: {file} has no column {column or 'to take'}; column must be one of the"
            f" {len(names)} names in its first line"
        )
    at = names.index(column)
    rows = [line[at] if at < len(line) else "" for line in lines[1:]]
    if "" in rows:
        raise ConfigError(f"{what}: {file}: row {rows.index('') + 1} is empty in column {column}")
    return rows


def operations_of(values: Values, dialect: Dialect) -> list[str]:
    """Return the operations that are asked before each connect, for what *dialect* needs."""
    given = (values.get(name) for name in dialect.needs)
    asked = (value.operation for value in given if isinstance(value, Value))
    return list(dict.fromkeys(operation for operation in asked if operation is not None))


def row_of(values: Values, number: int) -> str | None:
    """Return where the connection with this number has its values from; None where none is in a row."""
    files = dict.fromkeys(
        value.rows
        for value in values.values()
        if isinstance(value, Value) and value.rows is not None
    )
    return f"row {number + 1} of {' and '.join(files)}" if files else None


def files_for_others(values: Values) -> list[tuple[str, str]]:
    """Return key and file of each value that other users of this host may read or write."""
    return [
        (f"values.{name}.{key}", file)
        for name, value in values.items()
        if isinstance(value, Value)
        for key in ("file", "rows")
        if (file := getattr(value, key)) is not None and open_to_others(Path(file))
    ]


def too_few_rows(values: Values, connections: int) -> str | None:
    """Return what is wrong where a value has fewer rows than there are *connections*."""
    for name, value in values.items():
        rows = texts_of(name, value)
        if isinstance(rows, list) and len(rows) < connections:
            assert isinstance(value, Value)
            return (
                f"values.{name} has {len(rows)} rows in {value.rows} for {connections} connections; "
                "add rows, or have the profile ask for no more connections than there are rows"
            )
    return None
