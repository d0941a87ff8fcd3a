"""Lays the reports of twenty runs out in Chromium: python tests/benchmarks/report_check.py [FOLDER]

Six widths, light, dark and print, folded and unfolded: nothing is wider than the screen, no text is cut off,
no word of a chart is outside of it; axe-core, where CAPACITY_AXE names its axe.min.js, finds nothing serious. And what plan and report take of a core, its size, and its first paint. The pages,
with pictures of their first screens, stay in FOLDER where one is given.
"""

import os
import runpy
import shutil
import sys
import time
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import hour_run
from browser import open_page

from capacity.cli.plan import demanded, plan_run
from capacity.cli.report import write_report
from capacity.domain.run import RunEvent

ROOT = Path(__file__).parent.parent.parent
TESTS = ROOT / "tests"
EXAMPLE = runpy.run_path(str(TESTS / "reporting" / "example_run.py"))
PARTIAL = runpy.run_path(str(TESTS / "reporting" / "conftest.py"))["make_partial_records"]
PLANTED = runpy.run_path(str(TESTS / "planning" / "comparison" / "planted_change.py"))
RECKONED = runpy.run_path(str(TESTS / "reckoned_runs.py"))
AXE = Path(os.environ["CAPACITY_AXE"]).read_text("utf-8") if "CAPACITY_AXE" in os.environ else None
AXE_WIDTHS = (390, 1280)
WIDTHS = (320, 390, 768, 1024, 1280, 1600)
PRINTED = 718
"""Pixels between the margins of A4."""
LONGEST_S, LARGEST_BYTES, PAINTED_MS = 2.0, 200_000, 150.0
REFUSED_FROM = 6
OVERFLOWING = """(() => {
  const wide = document.documentElement.scrollWidth, found = [];
  if (wide > innerWidth) found.push(`page ${wide} px`);
  const shown = each => each.checkVisibility() && each.getClientRects().length;
  const name = each => `${each.tagName} "${(each.textContent || '').trim().slice(0, 40)}"`;
  for (const each of document.querySelectorAll('body *')) {
    if (each.closest('svg') || !shown(each)) continue;
    const style = getComputedStyle(each);
    const seen = each.clientWidth > 1; // what only a screen reader gets is one pixel wide
    if (seen && style.overflowX !== "visible" && each.scrollWidth > each.clientWidth + 1)
      found.push(`${name(each)} ${each.scrollWidth} of ${each.clientWidth} px`);
  }
  for (const text of document.querySelectorAll('svg text')) {
    if (!shown(text)) continue;
    const box = text.getBoundingClientRect(), chart = text.closest('svg').getBoundingClientRect();
    if (box.left < chart.left - 1 || box.right > chart.right + 1)
      found.push(`${name(text)} outside its chart`);
  }
  return found.slice(0, 5);
})()"""
NOTHING = "nothing cut off" if AXE is None else "nothing cut off, nothing serious"
UNFOLD = "document.querySelectorAll('details').forEach(each => { each.open = true; })"
PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"


def runs(folder):
    """Return by name the directories of twenty runs, made in *folder*."""
    made = {}
    for name, source in (
        ("example", ROOT / "reports" / "example"),
        ("version-0.1", TESTS / "data" / "run-of-version-0.1"),
    ):
        made[name] = Path(shutil.copytree(source, folder / name))
    records = {f"partial: {name}": record for name, record in PARTIAL().items()}
    made["hour"] = hour_run.written(folder / "hour")
    records["forty steps"] = EXAMPLE["make_record"](
        steps=[step for step in EXAMPLE["STEPS"] for _ in range(5)][:40], plateau_samples=90
    )
    records["memory"] = PLANTED["record"](1, memory_limit=90e6, descriptors=60_000.0)
    records["descriptors"] = PLANTED["record"](2, descriptors=600.0)
    records["processor"] = PLANTED["record"](3, cpu=30.0, memory_limit=1e12, descriptors=1e6)
    slo = {"slo": {"delivery_delay": {"quantile": 0.99, "limit_s": 0.05}}}
    records["objective"] = PLANTED["record"](4, target=slo, delay_s=0.01)
    records["refused early"] = refused(PLANTED["record"](5, descriptors=60_000.0))
    records["named <b>&\"'"] = PLANTED["record"](6, name="run <b>&\"' " + "x" * 60)
    records["sized"] = RECKONED["with_ramps"](PLANTED["record"](7, memory_limit=110e6))
    records["far"] = PLANTED["record"](8, memory_limit=256e9, descriptors=5e8, cpu=1e-4)
    for number, (name, record) in enumerate(records.items()):
        made[name] = PLANTED["written"](folder / f"run-{number}", record)
    for name in ("sized", "objective"):
        plan_run(made[name], *demanded("example", "example"))
    return made


def refused(record):
    """Return the run as it had been if its last levels had been refused and it had been ended."""
    steps = [
        replace(
            step,
            failures={"connect_refused": 40, "handshake_rejected_503": 12},
            lost=7,
            connections_peak=step.step.connections - 52,
        )
        if step.index >= REFUSED_FROM
        else step
        for step in record.steps[: REFUSED_FROM + 1]
    ]
    ended = RunEvent(
        at=record.manifest.started_at + 300.0, kind="aborted", detail={"reason": "guard"}
    )
    return replace(record, steps=tuple(steps), events=(ended,))


def judged(page, address):
    """Return what overflows, by screen."""
    found = {}
    for width in WIDTHS:
        for theme in ("light", "dark"):
            page.show(address, width=width, theme=theme)
            found[f"{width} px, {theme}"] = page.tell(OVERFLOWING)
            page.tell(UNFOLD)
            found[f"{width} px, {theme}, unfolded"] = page.tell(OVERFLOWING)
            if AXE is not None and width in AXE_WIDTHS:
                found[f"{width} px, {theme}, axe-core"] = page.serious(AXE)
    page.show(address, width=PRINTED, medium="print")
    found["print"] = page.tell(OVERFLOWING)
    return {screen: what for screen, what in found.items() if what}


def main():
    with TemporaryDirectory() as name, open_page() as page:
        folder = Path(sys.argv[1] if len(sys.argv) > 1 else name)
        folder.mkdir(parents=True, exist_ok=True)
        bad = 0
        for run, path in runs(folder).items():
            began_s = time.process_time()
            if not (path / "plan.json").exists():
                plan_run(path)
            write_report(path, ["html"])
            took_s = time.process_time() - began_s
            report = path / "report.html"
            address, size = report.resolve().as_uri(), report.stat().st_size
            page.show(address)
            page.wait_for(PAINT)
            paints = []
            for _ in range(5):
                page.show(address)
                page.wait_for(PAINT)
                paints.append(page.tell(PAINT))
            page.take(report.with_suffix(".png"))
            found = judged(page, address)
            late = took_s > LONGEST_S or size > LARGEST_BYTES or min(paints) > PAINTED_MS
            bad += bool(found) or late
            print(
                f"{run:32} made in {took_s:.2f} s of CPU, {size / 1000:.0f} KB, first paint"
                f" {min(paints):.0f} ms, {found or NOTHING}"
            )
    print(f"{bad} of the reports are cut off, late or too large")
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
