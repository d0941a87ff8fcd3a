"""The documents as a site: whole, with no link that leads nowhere, and with nothing from elsewhere."""

import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SITE = runpy.run_path(str(ROOT / "docs" / "site.py"))
FETCHED = re.compile(
    r"<(?:script|img|iframe)[^>]* src=\"?(?:https?:)?//|<link[^>]*rel=\"?(?:stylesheet|preconnect)[^>]*//"
    r"|url\((?:https?:)?//"
)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    answer = subprocess.run(
        [sys.executable, str(ROOT / "docs" / "site.py"), str(folder)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return folder / "site"


def test_every_page_is_built(site):
    for page in SITE["pages"](SITE["PAGES"]):
        path = SITE["shown"](page)
        name = re.sub(r"(^|/)README\.md$", r"\1index.md", path).removesuffix(".md")
        assert (site / f"{name}.html").is_file(), page


def test_nothing_is_fetched_from_elsewhere(site):
    files = [path for path in site.rglob("*") if path.suffix in {".html", ".css"}]

    assert len(files) > 20
    assert [] == [path.name for path in files if FETCHED.search(path.read_text("utf-8"))]


def test_what_a_page_links_to_is_there(site):
    assert "Capacity" in (site / "reports/example/report.html").read_text("utf-8")
    assert 'href="capacity/domain/plan.py"' not in (site / "index.html").read_text("utf-8")
    assert (site / "capacity/domain/plan.py").is_file()


def test_every_page_for_people_is_on_the_site():
    shown = set(SITE["pages"](SITE["PAGES"]))

    assert {str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md")} <= shown


def test_a_link_that_leads_nowhere_ends_the_build(tmp_path):
    for own in ("site.css", "site.js"):
        SITE["copied"](Path("docs") / own, tmp_path / "pages")
    (tmp_path / "pages" / "index.md").write_text("# Start\n\n[nowhere](missing.md)\n", "utf-8")
    settings = (ROOT / "docs" / "mkdocs.yml").read_text("utf-8")
    (tmp_path / "mkdocs.yml").write_text(settings, "utf-8")
    answer = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "out")],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )

    assert answer.returncode == 1
    assert "missing.md" in answer.stderr


@pytest.mark.skipif(
    not (shutil.which("chromium") or shutil.which("chromium-browser")),
    reason="Chromium is not installed",
)
def test_what_the_theme_makes_late_is_reached_with_the_keyboard_and_has_a_name(tmp_path):
    browser = runpy.run_path(str(ROOT / "tests" / "benchmarks" / "browser.py"))
    shutil.copy(ROOT / "docs" / "site.js", tmp_path)
    page_file = tmp_path / "page.html"
    page_file.write_text(
        "<div class=md-search role=dialog></div>"
        "<div class=md-typeset><pre><code>long</code></pre></div><script src=site.js></script>"
    )
    with browser["open_page"]() as page:
        page.show(page_file.as_uri())
        at_once = page.tell("document.querySelector('code').tabIndex")
        page.tell(
            """new Promise(done => setTimeout(() => {
              document.querySelector('.md-typeset').innerHTML += '<div class=md-typeset__scrollwrap></div><nav class=md-code__nav></nav><nav class=md-code__nav></nav>';
              done(0); }, 300))"""
        )
        page.wait_for("document.querySelector('.md-typeset__scrollwrap').tabIndex === 0", 5)
        names = page.tell(
            "[...document.querySelectorAll('[aria-label]')].map(each => each.ariaLabel)"
        )

    assert 0 == at_once
    assert ["Search", "Code 1", "Code 2"] == names
