"""Books that cannot be kept, each refused with its line."""

import pytest

from capacity.domain.errors import ConfigError
from capacity.settings.dialect import load_dialect


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        ("rule: none, book: {form: okx, depth: 5}", ".book: rule none has no use for it; checksum has"),
        ("rule: checksum, seq: a, book: {form: okx, depth: 5}", ".seq: rule checksum has no use for it; book says where the checksum is"),
        ("rule: checksum, book: {form: okx}", ".book.depth: is required"),
        ("rule: checksum, book: {form: bitmex, depth: 5}", ".book.form: must be 'kraken' or 'okx' (got \"bitmex\")"),
        ("rule: checksum, book: {form: okx, depth: 0}", ".book.depth: must be 1 to 10000 levels (got 0)"),
        ("rule: checksum, book: {form: okx, depth: 10001}", ".book.depth: must be 1 to 10000 levels (got 10001)"),
        ("rule: checksum, book: {form: okx, depth: 5, share: 0}", ".book.share: must be more than 0 and at most 1 (got 0)"),
        ("rule: checksum, book: {form: okx, depth: 5, share: 1.01}", ".book.share: must be more than 0 and at most 1 (got 1.01)"),
        ("rule: checksum, book: {form: okx, depth: 5, bids: a..b}", ".book.bids: no path; keys joined by dots, such as params.channel (got 'a..b')"),
        ("rule: checksum, book: {form: okx, depth: levels}", ".book.depth: must be a number, or the path of one in the request of the channel: 1 to 10000 levels at levels in channels.a.request (got 'levels')"),
    ],
)  # fmt: skip
def test_a_book_that_cannot_be_kept_is_refused_with_its_line(dialect_file, plainest, rule, problem):
    with pytest.raises(ConfigError) as error:
        load_dialect(dialect_file(plainest + f"sequence: [{{{rule}}}]"))

    assert str(error.value) == f"d.yaml:7: sequence[0]{problem}"


@pytest.mark.parametrize("messages", ["{list: $}", "{content: opaque}", '{pattern: "(?P<a>.)"}'])
def test_a_book_is_read_from_messages_of_one_json_text(dialect_file, plainest, messages):
    rule = "sequence: [{rule: checksum, book: {form: okx, depth: 5}}]\n"
    with pytest.raises(ConfigError, match=r"sequence\[0\].book: is read where each message is one"):
        load_dialect(dialect_file(f"{plainest}{rule}messages: {messages}"))


@pytest.mark.parametrize("share", ["1", "1.0", "0.001"])
def test_a_book_that_can_be_kept_is_taken(dialect_file, plainest, share):
    rule = f"sequence: [{{rule: checksum, book: {{form: okx, depth: 10000, share: {share}}}}}]"
    dialect = load_dialect(dialect_file(plainest + rule))

    assert float(share) == dialect.sequence[0].book.share
