"""Schemas of binary messages: files beside the dialect."""

from pathlib import Path

import pytest

from capacity.domain.errors import ConfigError
from capacity.settings.dialect import dump, load_dialect, parse
from capacity.settings.locate import shipped

SHIPPED = shipped("config") / "dialects" / "binance-sbe.xml"


@pytest.mark.parametrize(
    ("messages", "problem"),
    [
        ("{content: sbe}", "is needed where messages.content is sbe"),
        ("{schema: a.xml}", "is of sbe alone"),
        ("{content: sbe, schema: none.xml}", "none.xml: cannot be read: No such file or directory"),
        (
            "{content: sbe, schema: d.yaml}",
            "d.yaml is no schema of Simple Binary Encoding: no XML: ",
        ),
    ],
)
def test_a_schema_that_cannot_be_read_is_refused_with_its_line(
    dialect_file, plainest, messages, problem
):
    with pytest.raises(ConfigError) as error:
        load_dialect(dialect_file(f"{plainest}messages: {messages}"))

    assert str(error.value).startswith(f"d.yaml:7: messages.schema: {problem}")


def test_a_dialect_carries_its_schema_wherever_it_is_sent(dialect_file, plainest):
    Path("a.xml").write_text(SHIPPED.read_text("utf-8"), "utf-8")
    dialect = load_dialect(dialect_file(f"{plainest}messages: {{content: sbe, schema: a.xml}}"))

    assert SHIPPED.read_text("utf-8") == parse(dump(dialect)).messages.schema
