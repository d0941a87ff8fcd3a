"""The width of tables in pipes, where there is no terminal to ask."""

import pytest

from capacity.cli.helping.console import answer_console


@pytest.mark.parametrize(
    ("columns", "width"),
    [(None, 160), ("60", 60), ("200", 200), ("39", 160), ("0", 160), ("wide", 160), ("", 160)],
)
def test_a_pipe_is_as_wide_as_columns_says_where_that_can_be_read(monkeypatch, columns, width):
    monkeypatch.delenv("COLUMNS", raising=False)
    if columns is not None:
        monkeypatch.setenv("COLUMNS", columns)

    assert width == answer_console().width
