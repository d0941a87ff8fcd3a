"""The answer to WebSocket or REST, from what was measured."""

from dataclasses import replace

from capacity.domain.observation import FreshnessFigures, FreshnessPair
from capacity.reporting.freshness import freshness_section

PUSHED = FreshnessFigures(
    age_s=0.5,
    stale_share=0.02,
    staleness_s=0.0001,
    version_age=0.02,
    peak_age_s=1.0,
    late_share=None,
    seconds=20.0,
)
POLLED = replace(PUSHED, age_s=0.75, stale_share=0.4, staleness_s=0.06, late_share=0.25)
PAIR = FreshnessPair(
    changes_per_s=2.0, poll_interval_s=0.5, reply_s=0.001, pushed=PUSHED, polled=POLLED
)


def section(record, pair):
    steps = tuple(replace(step, freshness=pair) for step in record.steps[-1:])
    return freshness_section(replace(record, steps=steps))


def test_a_run_that_watched_nothing_has_no_section(record):
    assert freshness_section(record) is None


def test_what_was_stale_less_of_the_time_is_fresher(record):
    text = section(record, PAIR).paragraphs[0]

    assert text.startswith("WebSocket was fresher")
    assert "stale 2 % of the time; polled every 500 ms 40 %" in text
    assert "poll about every 20.3 ms (49.3 requests/s)" in text


def test_where_push_is_no_fresher_rest_does(record):
    same = replace(PAIR, polled=replace(POLLED, stale_share=0.02))

    assert section(record, same).paragraphs[0].startswith("REST was as fresh")
    better = replace(PAIR, polled=replace(POLLED, stale_share=0.021))
    assert section(record, better).paragraphs[0].startswith("WebSocket was fresher")


def test_of_one_side_alone_nothing_is_concluded(record):
    found = section(record, replace(PAIR, polled=None))

    assert "cannot be compared" in found.paragraphs[0]
    assert len(found.table.rows) == 1


def test_the_model_stands_beside_what_was_measured(record):
    pushed, polled = section(record, PAIR).table.rows

    assert polled[3].text == "750 (751)"
    assert polled[5].text == "40 % (37 %)"
    assert (polled[8].text, pushed[8].text) == ("25 %", "")


def test_no_pace_of_polling_is_as_fresh_as_what_was_never_stale(record):
    never = replace(PUSHED, stale_share=0.0)

    assert "No pace" in section(record, replace(PAIR, pushed=never)).paragraphs[0]
