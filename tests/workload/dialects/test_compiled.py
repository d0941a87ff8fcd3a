"""What is precomputed of a dialect."""

from pathlib import Path

import pytest

from capacity.settings.dialect import load_dialect
from capacity.workload.dialects.compiled import compile_dialect

DIALECTS = Path(__file__).parents[3] / "config" / "dialects"


@pytest.mark.parametrize("path", sorted(DIALECTS.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_shipped_dialect_compiles(path):
    dialect = load_dialect(path)

    assert compile_dialect(dialect).source is dialect


def test_a_channel_s_rule_is_looked_up_once_and_shared():
    compiled = compile_dialect(load_dialect(DIALECTS / "deribit.yaml"))
    rule = compiled.rule_of("book.BTC-PERPETUAL.100ms")

    assert rule is not None
    assert rule[1] == "book.BTC-PERPETUAL.100ms"
    assert compiled.rule_of("book.BTC-PERPETUAL.100ms") is rule
    assert compiled.rule_of("ticker.BTC-PERPETUAL.100ms") is None


def test_numbers_of_the_whole_connection_are_kept_under_no_name():
    compiled = compile_dialect(load_dialect(DIALECTS / "json-push.yaml"))
    rule = compiled.rule_of("anything")

    assert rule is not None
    assert rule[1] == ""
