"""Messages that are packed, divided, listed, numbered in their own way, or no JSON at all."""

import pytest

from capacity.domain.answers.finding import Status
from capacity.settings.dialect import dump, load_dialect
from capacity.settings.locate import find


def enough(count):
    return lambda counters: counters.deliveries >= count


def seen(counters):
    return counters.gaps, counters.unmatched, counters.unnumbered


@pytest.mark.parametrize("packing", ["gzip", "zlib", "deflate", "brotli"])
def test_packed_messages_are_read_where_the_dialect_says_how(feed, packing):
    counters = feed("packed", packing, messages={"packing": packing}).load(enough(10))

    assert (0, 0, 0) == seen(counters)
    assert counters.delivery_delay
    assert 20 < counters.delivered_bytes / counters.deliveries < 80


@pytest.mark.parametrize("packing", ["gzip", "zlib"])
def test_packed_messages_are_recognised_where_it_does_not(feed, packing):
    (finding,) = feed("packed", packing).findings()

    assert Status.FAILURE is finding.status
    assert f"packed by {packing}" in finding.statement
    assert f"Set messages.packing of the dialect to {packing}" == finding.remedy


@pytest.mark.parametrize("divider", ["newline", "record_separator", "nul"])
def test_messages_that_share_a_frame_are_so_many_updates(feed, divider):
    started = feed("divided", divider, messages={"divider": divider})
    counters = started.load(enough(30))

    assert (0, 0, 0) == seen(counters)
    assert 0 == counters.deliveries % 3


@pytest.mark.parametrize("divider", ["newline", "record_separator", "nul"])
def test_messages_that_share_a_frame_are_never_taken_for_one(feed, divider):
    started = feed("divided", divider)
    counters = started.load(lambda counters: counters.unmatched >= 10)
    (finding,) = started.findings()

    assert (0, 0) == (counters.deliveries, counters.gaps)
    assert Status.FAILURE is finding.status
    assert f"Set messages.divider of the dialect to {divider}" == finding.remedy


def test_a_list_at_the_root_is_so_many_messages(feed):
    counters = feed("listed", messages={"list": "$"}).load(enough(20))

    assert (0, 0, 0) == seen(counters)


def test_a_list_of_updates_under_a_path_is_so_many_updates(feed):
    items = {"where": {"0.seq": {"exists": True}}, "items": "0"}
    counters = feed("listed", data=items, sequence=[]).load(enough(20))

    assert (0, 0, 20) <= seen(counters)
    assert 0 == counters.unmatched


def test_paths_may_begin_with_an_index(feed):
    started = feed(
        "arrays",
        data={"where": {"2": "tick"}, "key": "3", "items": "1"},
        time={"path": "t", "unit": "s"},
        sequence=[{"rule": "plus_one", "seq": "n"}],
        subscribe={"send": {"sub": "{channels:list}"}, "confirm": "none"},
    )

    assert (0, 0, 0) == seen(started.load(enough(10)))
    assert [Status.OK] == [finding.status for finding in started.findings()]


def test_nan_is_no_json_and_is_said_to_be_none(feed):
    started = feed("nan")
    counters = started.load(lambda counters: counters.unmatched >= 4)
    findings = started.findings()

    assert counters.deliveries >= 4 * counters.unmatched
    assert counters.examples[0].startswith("NaN or Infinity is no JSON")
    assert Status.WARNING is findings[0].status
    assert "null instead of NaN" in findings[0].remedy


def test_numbers_that_are_texts_show_what_is_missing(feed):
    counters = feed("number_texts").load(enough(40))

    assert counters.gaps >= 2
    assert 0 == counters.unnumbered


def test_without_a_number_nothing_is_said_of_gaps(feed):
    started = feed("unnumbered")
    counters = started.load(enough(10))

    assert (0, counters.deliveries) == (counters.gaps, counters.unnumbered)
    assert any("gaps would go unnoticed" in finding.statement for finding in started.findings())


@pytest.mark.parametrize(("lost_every", "has_gaps"), [(0, False), (5, True)])
def test_an_update_may_cover_a_range_of_numbers(feed, lost_every, has_gaps):
    started = feed(
        "ranges",
        lost_every,
        data={"where": {"u": {"exists": True}}},
        sequence=[{"rule": "range", "first": "U", "seq": "u", "scope": "connection"}],
    )
    counters = started.load(enough(30))

    assert has_gaps is (counters.gaps > 0)
    assert counters.gaps <= counters.deliveries / 3
    assert 0 == counters.unnumbered


def test_what_is_no_json_may_be_counted_all_the_same(feed):
    started = feed("binary", messages={"content": "opaque"}, data=[], time=None, sequence=None)
    counters = started.load(enough(10))

    assert (0, 0, counters.deliveries) == seen(counters)
    assert 42 == counters.delivered_bytes / counters.deliveries


def test_a_feed_of_which_nothing_is_read_fails_the_doctor_whatever_confirms_it(feed):
    (finding,) = feed("binary").findings()

    assert Status.FAILURE is finding.status
    assert "ff" in finding.statement


def test_packets_of_mqtt_go_both_ways_as_binary_messages(feed):
    described = load_dialect(find("dialects", "mqtt"))
    sections = {
        key: value
        for key, value in dump(described).items()
        if key in {"messages", "opening", "channels", "subscribe", "heartbeat", "data"}
    }
    started = feed("mqtt", target={"channels": ["updates"]}, **sections)
    counters = started.load(lambda counted: counted.deliveries >= 6)

    assert [Status.OK] == [finding.status for finding in started.findings(listen_s=0.4)]
    assert (0, 0, 0) == (counters.unmatched, counters.gaps, sum(counters.failures.values()))
