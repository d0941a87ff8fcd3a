"""What agents say, with what broken and hostile ones say in between."""

import json

import pytest

from capacity.domain.resources import LimitState
from capacity.sources.border import (
    UnreadableError,
    read_holders,
    read_info,
    read_sample,
    read_seq,
)

SAMPLE = {
    "seq": 1,
    "at": 1.0,
    "interval_s": 1.0,
    "used": {"descriptors": 7.0},
    "gauges": {"accept_queue": 0.0},
    "counters": {"retransmits": 3.0},
    "missing": {},
    "target_started_at": 1.0,
    "memory": {"account": "resident", "use_bytes": 1, "charged_bytes": 1, "high_water_bytes": 1},
}
LIMIT = {
    "resource": "descriptors",
    "state": "known",
    "value": 1024.0,
    "scope": "process",
    "source": "/proc/1/limits",
}
INFO = {
    "agent_version": "0",
    "host": "h",
    "kernel": "k",
    "cores": 2,
    "memory_bytes": 1,
    "boot_id": "b",
    "target_name": "t",
    "target_pids": [1],
    "target_started_at": 0.5,
    "limits": [LIMIT],
    "now": 1.0,
}
BAD = ["NaN", "Infinity", "1e999", "9" * 5000, '"many"', "null", "[]", "true"]


def said(document, **changes):
    """Return *document* as JSON, with raw text for the values of *changes*."""
    marks = {name: f"@{name}@" for name in changes}
    text = json.dumps({**document, **marks})
    for name, raw in changes.items():
        text = text.replace(f'"@{name}@"', raw)
    return text.encode()


@pytest.mark.parametrize("value", BAD)
@pytest.mark.parametrize(
    ("section", "name"),
    [("used", "descriptors"), ("gauges", "accept_queue"), ("counters", "retransmits")],
)
def test_a_reading_that_is_no_number_is_missing_with_the_reason(section, name, value):
    sample = read_sample(said(SAMPLE, **{section: f'{{"{name}": {value}}}'}))

    assert {} == dict(getattr(sample, section))
    assert sample.missing[name].startswith("no number was said (")


def test_memory_of_no_number_has_no_account():
    text = '{"account": "resident", "use_bytes": 1, "charged_bytes": NaN, "high_water_bytes": 1}'
    sample = read_sample(said(SAMPLE, memory=text))

    assert sample.memory is None
    assert "no number was said" in sample.missing["memory_account"]


@pytest.mark.parametrize("value", ["NaN", "9" * 5000, '"much"'])
def test_a_limit_that_is_no_number_is_unknown_with_the_reason(value):
    limit = json.dumps({**LIMIT, "value": "@"}).replace('"@"', value)
    (found,) = read_info(said(INFO, limits=f"[{limit}]")).limits

    assert (LimitState.UNKNOWN, None) == (found.state, found.value)
    assert "no number was said" in found.reason


@pytest.mark.parametrize("value", ["NaN", "1e999", "9" * 5000, '"noon"', "null"])
@pytest.mark.parametrize("name", ["now", "target_started_at"])
def test_an_info_without_a_clock_is_unreadable(name, value):
    with pytest.raises(UnreadableError, match=f"^{name}: Input should be a valid number"):
        read_info(said(INFO, **{name: value}))


@pytest.mark.parametrize("name", ["seq", "at", "interval_s", "target_started_at"])
def test_a_sample_without_a_place_in_time_is_unreadable(name):
    with pytest.raises(UnreadableError, match=f"^{name}: Input should be a valid"):
        read_sample(said(SAMPLE, **{name: "NaN"}))


@pytest.mark.parametrize("text", [b"[]", b"5", b"{", b"\xff", b"[" * 100_000])
def test_what_is_no_object_is_unreadable(text):
    with pytest.raises(UnreadableError, match="it is no JSON"):
        read_sample(text)
    with pytest.raises(UnreadableError, match="it is no JSON"):
        read_info(text)


def test_text_is_made_printable_wherever_it_stands():
    bell = "\x1b]0;OWNED\x07\x1b[2J"
    info = read_info(json.dumps({**INFO, "host": bell, "notes": [f"a\n{bell}"]}).encode())
    sample = read_sample(json.dumps({**SAMPLE, "missing": {bell: bell}}).encode())
    (holder,) = read_holders(json.dumps([{"pid": 1, "name": bell, "is_watched": False}]).encode())

    texts = [info.host, *info.notes, *sample.missing, *sample.missing.values(), holder.name]
    assert all(text.isprintable() for text in texts)
    assert "OWNED" in info.host


@pytest.mark.parametrize(
    ("text", "seq"),
    [
        ("0", 0),
        ("9" * 18, 10**18 - 1),
        ("9" * 19, None),
        ("9" * 5000, None),
        ("abc", None),
        ("", None),
        ("-1", None),
        ("٣", None),
    ],
)
def test_a_sequence_number_has_few_digits(text, seq):
    assert seq == read_seq(text)


def test_samples_share_their_words_as_a_run_has_thousands_of_them():
    line = b'{"seq": 1, "at": 1.0, "interval_s": 1.0, "used": {}, "gauges": {"some_gauge": 1}, "counters"'
    line += b': {}, "missing": {"other": "not readable"}, "target_started_at": 1.0}'
    one, two = read_sample(line), read_sample(line)
    [(name, why)] = one.missing.items()
    [(same_name, same_why)] = two.missing.items()

    assert next(iter(one.gauges)) is next(iter(two.gauges))
    assert (name, why) == ("other", "not readable")
    assert name is same_name
    assert why is same_why
