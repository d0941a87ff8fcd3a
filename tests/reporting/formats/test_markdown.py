from dataclasses import replace

import pytest

from capacity.domain.caveats import Doubt, DoubtKind
from capacity.domain.target import TargetSpec
from capacity.reporting.formats.markdown import MOST_CHARACTERS, escaped, render


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a|b", r"a\|b"),
        ("<b>`x`</b>", r"\<b\>\`x\`\</b\>"),
        ("[a](b)", r"\[a\](b)"),
        ("@team #12", "@\u200bteam #\u200b12"),
        ("https://evil.example www.evil.example", "https&#58;//evil.example www&#46;evil.example"),
        ("&amp; $x$", r"\&amp; \$x\$"),
        ("two\nlines", "two lines"),
    ],
)
def test_a_strangers_text_formats_links_and_mentions_nothing(text, expected):
    assert escaped(text) == expected


def test_the_answer_and_every_wall_and_doubt_are_there(record, plan):
    text = render(record, plan)

    assert "## Capacity: ≈ 19,948 connections per instance. Bottleneck: file" in text
    assert "- **Safe capacity:** 19,208 connections" in text
    for wall in plan.ladder:
        assert escaped(wall.remedy) in text
    for doubt in plan.doubts:
        assert escaped(doubt.statement) in text


def test_every_row_of_every_table_has_as_many_cells_as_its_head(record, plan):
    target = {"name": "a|b", "k|e|y": "v|a|l"}

    text = render(
        replace(record, manifest=replace(record.manifest, target=TargetSpec.from_document(target))),
        plan,
    )
    tables = [block for block in text.split("\n\n") if block.startswith("| ")]

    assert len(tables) >= 7
    for table in tables:
        bars = {line.replace(r"\|", "").count("|") for line in table.strip().splitlines()}
        assert len(bars) == 1


def test_an_excuse_says_why_and_what_to_do(record, excuse):
    text = render(record, excuse)

    assert "## Inconclusive: no capacity could be derived" in text
    assert excuse.reason in text
    assert excuse.remedy in text


def test_missing_parts_are_listed_before_the_sections(partial_records, plan):
    text = render(partial_records["aborted"], plan)

    assert text.index("- 7 of 9 steps") < text.index("## Bottlenecks, in order")


def test_every_partial_record_can_be_told(partial_records, plan, excuse):
    for record in partial_records.values():
        for answer in (plan, excuse):
            assert render(record, answer).startswith("# Capacity of ")


def test_a_report_never_exceeds_a_comment(record, plan):
    long = "x|" * 300
    doubts = [Doubt(kind=DoubtKind.FEW_STEPS, statement=long, remedy=long)] * 60
    steps = [replace(record.steps[2], void=long, failures={long: 1})] * 500

    text = render(
        replace(record, steps=tuple(steps), missing=(long,) * 90),
        replace(plan, doubts=tuple(doubts)),
    )

    assert len(text) <= MOST_CHARACTERS
    assert text.endswith("_The rest is left out here: see report.html._\n")
    assert "Capacity: ≈ 19,948 connections" in text


def test_many_rows_are_cut_with_a_word(record, plan):
    many = replace(record, steps=tuple(replace(record.steps[0], index=n) for n in range(45)))

    assert "_5 more rows: see report.html._" in render(many, plan)
