import re
from dataclasses import replace

import pytest

from capacity.domain.caveats import Doubt, DoubtKind
from capacity.domain.target import TargetSpec
from capacity.reporting.document import Section
from capacity.reporting.formats.html import render

HOSTILE = (
    "</title><script>alert(1)</script><img src=http://evil.example/x onerror=alert(2)>\"'&{{7*7}}"
)


def test_the_page_is_well_formed_and_loads_nothing(record, plan, page):
    parsed = page(render(record, plan))

    names = {name for name, _ in parsed.attributes}
    targets = [value for name, value in parsed.attributes if name in ("src", "href", "action")]

    assert "script" not in parsed.tags
    assert not {"link", "img", "iframe", "object", "form"} & set(parsed.tags)
    assert targets
    assert [target for target in targets if target[1:] not in parsed.ids] == []
    assert not any(name.startswith("on") for name in names)
    assert "style" not in names


def test_the_page_forbids_itself_to_load_anything(record, plan, page):
    parsed = page(render(record, plan))

    assert ("content", "default-src 'none'; style-src 'unsafe-inline'") in parsed.attributes
    assert "url(" not in render(record, plan)


def test_ids_are_unique(record, plan, page):
    ids = page(render(record, plan)).ids

    assert len(ids) == len(set(ids))


def test_the_answer_comes_first(record, plan, page):
    text = "".join(page(render(record, plan)).text)

    assert text.index("19,948") < text.index("safe to plan with: 19,208 (95 %)")
    assert text.index("safe to plan with") < text.index("Bottlenecks, in order")
    assert text.index("Bottlenecks, in order") < text.index("Environment")


def test_every_wall_doubt_and_open_resource_is_on_the_page(record, plan, page):
    doubts = tuple(
        Doubt(kind=kind, statement=f"statement of {kind}", remedy=f"remedy of {kind}")
        for kind in DoubtKind
    )

    text = "".join(page(render(record, replace(plan, doubts=doubts))).text)

    for wall in plan.ladder:
        assert wall.remedy in text
        assert wall.limit.source in text
    for doubt in doubts:
        assert doubt.statement in text
        assert doubt.remedy in text
    for item in plan.no_ceiling:
        assert item.reason in text


def hostile_record(record):
    manifest = replace(
        record.manifest,
        run=HOSTILE,
        target=TargetSpec.from_document({"name": HOSTILE, HOSTILE: HOSTILE, "channels": [HOSTILE]}),
        profile={"name": HOSTILE},
        generator={HOSTILE: HOSTILE},
        agent=replace(record.manifest.agent, host=HOSTILE, kernel=HOSTILE, target_name=HOSTILE),
    )
    step = replace(record.steps[0], void=HOSTILE, failures={HOSTILE: 3})
    sample = replace(record.samples[0], missing={HOSTILE: HOSTILE})
    event = replace(record.events[0], kind=HOSTILE, detail={HOSTILE: HOSTILE})
    return replace(
        record,
        manifest=manifest,
        steps=(step, *record.steps[1:]),
        samples=(sample, *record.samples[1:]),
        events=(event,),
        missing=(HOSTILE,),
    )


def test_hostile_names_are_shown_and_nothing_else(record, plan, excuse, page):
    wall = plan.ladder[0]
    spoiled = replace(
        plan,
        ladder=(
            replace(wall, remedy=HOSTILE, limit=replace(wall.limit, source=HOSTILE)),
            *plan.ladder[1:],
        ),
        doubts=(Doubt(kind=DoubtKind.FEW_STEPS, statement=HOSTILE, remedy=HOSTILE),),
        generator=replace(plan.generator, statement=HOSTILE),
    )
    for answer in (spoiled, replace(excuse, reason=HOSTILE, remedy=HOSTILE)):
        html = render(hostile_record(record), answer)
        parsed = page(html)

        assert "script" not in parsed.tags
        assert "img" not in parsed.tags
        assert not any(name.startswith("on") for name, _ in parsed.attributes)
        assert HOSTILE in "".join(parsed.text)


def test_control_characters_and_broken_text_can_be_written(record, plan):
    target = {"name": "\x00\x1b[2J\ud800\u202evenue"}

    html = render(
        replace(record, manifest=replace(record.manifest, target=TargetSpec.from_document(target))),
        plan,
    )

    assert not re.search(r"[\x00-\x09\x0b-\x1f\u202e]", html)
    assert html.encode("utf-8")


def test_an_excuse_is_the_headline(record, excuse, page):
    parsed = page(render(record, excuse))
    text = "".join(parsed.text)

    assert ("class", "top verdict none") in parsed.attributes
    assert text.index(excuse.reason) < text.index("Bottlenecks, in order")
    assert excuse.remedy in text


def test_every_partial_record_gives_a_page_that_says_what_is_missing(
    partial_records, plan, excuse, page
):
    for record in partial_records.values():
        for answer in (plan, excuse):
            text = "".join(page(render(record, answer)).text)

            for item in record.missing:
                assert item in text
            assert not re.search(r"\bnan\b|\binf\b|None(?!\.| was)", text)


def test_what_was_not_measured_is_said(partial_records, plan, page):
    text = "".join(page(render(partial_records["one step, not reached"], plan)).text)

    assert text.count("not measured") >= 3


def test_an_hour_of_samples_fits_into_200_kb(long_record, plan):
    assert len(render(long_record, plan).encode()) < 200_000


def test_very_many_steps_fit_into_200_kb(record, plan):
    many = replace(record, steps=tuple(replace(record.steps[2], index=n) for n in range(2_000)))

    html = render(many, plan)

    assert "1970 more rows are in the run directory." in html
    assert len(html.encode()) < 200_000


@pytest.mark.parametrize("media", ["print", "prefers-color-scheme: dark"])
def test_the_page_knows_paper_and_the_dark(record, plan, media):
    assert media in render(record, plan)


def test_the_same_run_gives_the_same_page(record, plan):
    assert render(record, plan) == render(record, plan)


COLORS = re.compile(r"--(\w+): (#[0-9a-f]{6})")


def luminance(color):
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_all_text_stands_out_by_seven_to_one(record, plan, scheme):
    html = render(record, plan)
    roots = re.findall(r":root \{[^}]*\}", html)
    colors = dict(COLORS.findall(roots[0])) | dict(COLORS.findall(roots[scheme]))

    found = {
        (text, ground): contrast(colors[text], colors[ground])
        for text in ("ink", "soft", "accent", "hot", "ok", "warn")
        for ground in ("paper", "card", "shade")
    }

    assert {pair: ratio for pair, ratio in found.items() if ratio < 7.0} == {}


def test_shades_that_mean_different_things_differ_without_colour(record, plan):
    for root in re.findall(r":root \{[^}]*\}", render(record, plan)):
        colors = dict(COLORS.findall(root))

        assert contrast(colors["soft"], colors["mid"]) > 2.0
        assert contrast(colors["mid"], colors["pale"]) > 2.0


def test_a_phone_gets_rows_as_cards_with_the_names_of_their_columns(record, plan, page):
    attributes = page(render(record, plan)).attributes

    assert ("data-label", "Runs out at, connections") in attributes
    assert ("role", "cell") in attributes


def test_what_is_looked_up_is_folded_and_what_is_read_is_not(record, plan):
    html = render(record, plan)

    for anchor in ("environment", "steps", "limits"):
        assert re.search(rf'id="{anchor}" class="plain folded">\n<details><summary>', html)
    for anchor in ("walls", "timeline", "resources"):
        assert f'id="{anchor}" class="plain">' in html


def test_more_sections_stand_behind_the_bottlenecks(record, plan, page):
    more = Section(anchor="baseline", heading="Against the baseline", paragraphs=("No change.",))

    ids = page(render(record, plan, (), [more])).ids

    assert ids.index("walls") < ids.index("baseline") < ids.index("timeline")
