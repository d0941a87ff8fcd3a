from dataclasses import replace

from capacity.reporting.formats.index_page import Published, render

FIRST = Published(
    run="nightly-1",
    target="feed",
    started_at=1_795_000_000.0,
    page="reports/nightly-1.html",
    capacity_low_connections=900.0,
    capacity_mid_connections=1000.0,
    capacity_high_connections=1100.0,
    safe_capacity_connections=910,
    bottleneck="descriptors",
    caveats=2,
)
SECOND = replace(
    FIRST,
    run="nightly-2",
    started_at=FIRST.started_at + 86_400.0,
    page="reports/nightly-2.html",
    capacity_mid_connections=900.0,
    capacity_high_connections=None,
    caveats=0,
)
EVIL = '"><script>alert(1)</script>'


def test_the_latest_run_comes_first_with_its_change_and_a_link(page):
    text = " ".join(page(render([FIRST, SECOND])).text)

    assert text.index("nightly-2") < text.index("nightly-1")
    assert "-10.0 %" in text
    assert "file descriptors" in text
    assert ("href", "reports/nightly-2.html") in page(render([FIRST, SECOND])).attributes


def test_each_target_has_a_trend_of_its_own(page):
    parsed = page(render([FIRST, SECOND, replace(FIRST, target="orders")]))

    assert parsed.tags.count("svg") == parsed.tags.count("table") == 2
    assert len(parsed.ids) == len(set(parsed.ids))


def test_names_are_text_and_nothing_runs_or_is_loaded(page):
    parsed = page(render([replace(FIRST, run=EVIL, target=EVIL, bottleneck=EVIL)]))

    assert "script" not in parsed.tags
    assert EVIL in " ".join(parsed.text)
    assert any("default-src 'none'" in str(value) for _name, value in parsed.attributes)


def test_it_is_drawn_for_light_and_for_dark():
    assert "prefers-color-scheme: dark" in render([FIRST])
