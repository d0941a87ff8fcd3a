"""The schema of binary messages: a file beside the dialect, which the dialect carries to all hosts."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from capacity.domain.errors import ConfigError
from capacity.settings.locate import beside
from capacity.settings.yaml_files.yaml_file import Finding, text_of
from capacity.workload.dialects.dialect import Dialect
from capacity.workload.dialects.encodings.sbe import parser_of

_HERE = ("messages", "schema")


def schema_findings(dialect: Dialect, folder: Path) -> Iterator[Finding]:
    """Yield what is wrong with the schema that *dialect*, in *folder*, names."""
    content, name = dialect.messages.content, dialect.messages.schema
    if (name is not None) is not (content == "sbe"):
        needs = "is needed where messages.content is sbe" if name is None else "is of sbe alone"
        yield _HERE, needs
    elif name is not None:
        try:
            parser_of(text_of(Path(beside(folder, name))))
        except ConfigError as error:
            yield _HERE, str(error)
        except ValueError as error:
            yield _HERE, f"{name} is no schema of Simple Binary Encoding: {error}"


def with_schema(dialect: Dialect, folder: Path) -> Dialect:
    """Return *dialect* with the text of its schema in place of the file's name."""
    name = dialect.messages.schema
    if name is None:
        return dialect
    text = text_of(Path(beside(folder, name)))
    return replace(dialect, messages=replace(dialect.messages, schema=text))
