"""Messages, times and numbers that cannot be read, each refused with its line."""

import pytest

from capacity.domain.errors import ConfigError
from capacity.settings.dialect import load_dialect


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("messages: {packing: lz4}", ".packing: must be 'none', 'gzip', 'zlib', 'deflate', 'brotli' or 'zstd' (got \"lz4\")"),
        ("sequence: [{rule: range, seq: u}]", "[0]: rule range needs first"),
        ("sequence: [{rule: plus_one, seq: u, first: U}]", "[0].first: rule plus_one has no use for it; range has"),
        ("sequence: [{rule: plus_one, seq: u, snapshot: {}}]", "[0].snapshot: needs missing or where"),
        ("ignore: [{a..b: 1}]", "[0].a..b: no path; keys joined by dots, such as params.channel (got 'a..b')"),
        ("ignore: [{a: {like: 1}}]", "[0].a: must be a value or one of exists, equals, in, regex with its operand"),
        ("ignore: [{a: {exists: 1}}]", "[0].a.exists: must be true or false"),
        ("ignore: [{a: {in: 1}}]", "[0].a.in: must be a list"),
        ('ignore: [{a: {regex: "("}}]', "[0].a.regex: no regular expression: missing ), unterminated subpattern at position 0"),
        ("ignore: [{a: {regex: 1}}]", "[0].a.regex: no regular expression: first argument must be string or compiled pattern"),
        ("time: {path: a, unit: h}", ".unit: must be 's', 'ms', 'us', 'ns' or 'rfc3339' (got \"h\")"),
        ('time: [{path: a, unit: s}, {path: "a[]", unit: s}]', "[1].path: no path; keys joined by dots, such as params.channel (got 'a[]')"),
        ("time: []", ": is empty; leave it out where updates have no time"),
        ('time: {path: "a[]", unit: s}', ".path: no path; keys joined by dots, such as params.channel (got 'a[]')"),
        ("sequence: [{rule: plus_one}]", "[0]: rule plus_one needs seq"),
        ("sequence: [{rule: plus_one, seq: a, where: {b: 1}}]", "[0].where: needs scope: connection and a rule that counts numbers"),
        ("sequence: [{rule: none, scope: connection, where: {b: 1}}]", "[0].where: needs scope: connection and a rule that counts numbers"),
        ('sequence: [{rule: plus_one, seq: a, scope: connection, only: "x*", where: {b: 1}}]', "[0].only: is of no use beside where: such frames have no channel"),
        ("sequence: [{rule: plus_one, seq: a, scope: connection, where: {b: {in: 1}}}]", "[0].where.b.in: must be a list"),
        ("sequence: [{rule: prev_link, seq: a}]", "[0]: rule prev_link needs prev"),
        ("sequence: [{rule: plus_one, seq: a, prev: b}]", "[0].prev: rule plus_one has no use for it; prev_link has"),
        ("sequence: [{rule: checksum}]", "[0]: rule checksum needs book"),
    ],
)  # fmt: skip
def test_a_rule_that_cannot_be_read_by_is_refused_with_its_line(
    dialect_file, plainest, line, problem
):
    with pytest.raises(ConfigError) as error:
        load_dialect(dialect_file(plainest + line))

    section = line.partition(":")[0]
    assert str(error.value) == f"d.yaml:7: {section}{problem}"
