from dataclasses import replace

from capacity.domain.observation import CutOff, CutOffKind
from capacity.reporting.story import story


def test_the_answer_comes_before_what_it_stands_on(record, plan):
    told = story(record, plan)

    assert told.title == "Capacity of venue-1"
    assert told.subtitle == "run 20260101-000000-venue, 2026-01-01 00:00:00 UTC, profile safe"
    assert [section.anchor for section in told.sections] == [
        "walls",
        "doubts",
        "assumptions",
        "timeline",
        "resources",
        "latency",
        "opening",
        "polls",
        "steps",
        "no-ceiling",
        "generator",
        "data-quality",
        "events",
        "environment",
        "limits",
        "audit",
    ]


def test_every_section_of_every_partial_record_says_something(partial_records, plan, excuse):
    for record in partial_records.values():
        for answer in (plan, excuse):
            for section in story(record, answer).sections:
                assert section.paragraphs or section.table or section.figures


def test_what_a_limit_cut_off_is_not_missing(record, plan):
    cut_off = CutOff(kind=CutOffKind.REFUSED, statement="as planted", connections=300)
    first, second = record.steps[:2]
    ended = replace(
        record,
        steps=(first, replace(second, cut_off=cut_off)),
        missing=("the end: the run was aborted (guard)", "samples.jsonl:9"),
    )

    assert story(ended, plan).missing == ("samples.jsonl:9",)


def test_a_torn_run_lists_some_of_what_is_missing_and_counts_the_rest(record, plan):
    torn = replace(record, missing=tuple(f"samples.jsonl:{line}" for line in range(50)))

    missing = story(torn, plan).missing

    assert len(missing) == 21
    assert missing[-1] == "and 30 more"


def test_the_same_run_gives_the_same_story(record, plan):
    assert story(record, plan) == story(record, plan)


def test_settings_without_names_are_no_obstacle(partial_records, plan):
    assert (
        story(partial_records["bare settings"], plan).title == "Capacity of a target without a name"
    )
