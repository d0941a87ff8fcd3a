from dataclasses import replace

from capacity.domain.run import RunEvent
from capacity.domain.target import TargetSpec
from capacity.reporting.circumstances import (
    data_quality_section,
    environment_section,
    events_section,
    generator_section,
    limits_section,
)


def pairs(section):
    return {row[0].text: row[1].text for row in section.table.rows}


def test_the_generator_is_shown_step_by_step(record, plan):
    section = generator_section(record, plan)

    assert section.paragraphs == (plan.generator.statement,)
    assert [cell.text for cell in section.table.rows[0]] == [
        "1",
        "2",
        "2.1 ms",
        "700 µs",
        "41 %",
        "13 %",
    ]


def test_a_generator_that_was_not_watched_is_not_idle(partial_records, excuse):
    unwatched = partial_records["one step, not reached"]

    section = generator_section(unwatched, replace(excuse, generator=None))

    assert section.paragraphs == ("Not assessed.",)
    assert [cell.text for cell in section.table.rows[0]][1:] == ["not measured"] * 5


def test_the_quality_of_the_data_has_its_numbers(record):
    assert pairs(data_quality_section(record)) == {
        "Agent clock offset": "2.5 s, ± 400 µs",
        "Samples": "108, no gaps",
        "Sampling interval": "median 1 s, max 1 s",
        "Samples while the target was down": "0",
        "Agent overhead (CPU)": "mean < 1 % of a core, max < 1 %",
        "Not read: conntrack": "nf_conntrack is not loaded (108 of 108 samples)",
    }


def test_what_the_agent_says_of_itself_is_shown_once(record):
    late = "it samples every 2 s, because a sample takes 40 ms of its core"
    agent = replace(record.manifest.agent, notes=("the host's clock was set back", late))
    events = (RunEvent(at=1.0, kind="agent_note", detail={"note": late}),)
    noted = replace(record, manifest=replace(record.manifest, agent=agent), events=events)
    said = [
        row[1].text for row in data_quality_section(noted).table.rows if row[0].text == "Agent note"
    ]

    assert said == ["the host's clock was set back", late]


def test_lost_samples_are_counted(record):
    torn = replace(record, samples=(*record.samples[:5], *record.samples[9:]))

    assert pairs(data_quality_section(torn))["Samples"] == "104, 4 missing"


def test_without_an_agent_nothing_is_made_up(partial_records):
    found = pairs(data_quality_section(partial_records["no agent"]))

    assert found == {
        "Agent clock offset": "not measured",
        "Samples": "none (no agent)",
        "Agent overhead (CPU)": "not measured",
    }


def test_an_agent_without_samples_is_said_to_have_delivered_none(partial_records):
    found = pairs(data_quality_section(partial_records["no samples"]))

    assert found["Samples"] == "none (the agent delivered none)"


def test_events_carry_their_time_and_detail(partial_records):
    [row] = events_section(partial_records["aborted"]).table.rows

    assert [cell.text for cell in row] == ["30 s", "aborted", "reason guard"]


def test_a_storm_drill_is_told_in_a_sentence_without_words_of_the_program(record):
    detail = {"number": 0, "habit": "fixed", "cut": 26, "restored": 0, "last_s": None, "failed": 0}
    over = RunEvent(at=1.0, kind="storm_over", detail={**detail, "aborted": "it was stopped"})
    [row] = events_section(replace(record, events=(over,))).table.rows

    told = "storm drill 1: 0 of 26 came back; 0 attempts failed; aborted: it was stopped"
    assert told == row[2].text


def test_phases_are_no_news_and_many_events_are_cut(record):
    at = record.manifest.started_at
    phases = [RunEvent(at=at, kind="phase", detail={})] * 100
    problems = [RunEvent(at=at, kind="problem", detail={})] * 70

    only_phases = events_section(replace(record, events=tuple(phases)))
    many = events_section(replace(record, events=tuple(phases + problems)))

    assert only_phases.table is None
    assert len(many.table.rows) == 60
    assert many.paragraphs == ("The first 60; 10 more are in events.jsonl.",)


def test_the_environment_names_host_target_and_settings(record):
    found = pairs(environment_section(record))

    assert found["Target's host"] == "8 cores, 16 GiB, kernel 6.8.0"
    assert found["Upper bound from configured limits"] == "19,948 connections, set by descriptors"
    assert found["target.limits.descriptors.value"] == "25000"
    assert found["generator.workers"] == "2"


def test_a_long_list_is_cut(record):
    target = {"symbols": [f"S{number}" for number in range(20)]}

    found = pairs(
        environment_section(
            replace(
                record, manifest=replace(record.manifest, target=TargetSpec.from_document(target))
            )
        )
    )

    assert found["target.symbols"] == "S0, S1, S2, S3, S4, S5, S6, S7 and 12 more"


def test_without_an_agent_the_environment_says_so(partial_records):
    bare = partial_records["no agent"]

    assert pairs(environment_section(bare))["Agent"].startswith("none")
    assert limits_section(bare).paragraphs == ("No limit was read.",)


def test_every_limit_that_was_read_has_its_source(record):
    rows = limits_section(record).table.rows

    assert (rows[0][0].text, rows[0][1].text, rows[0][1].note) == (
        "file descriptors",
        "20,000 descriptors",
        "process: /proc/4242/descriptors",
    )
    assert len(rows) == 4
